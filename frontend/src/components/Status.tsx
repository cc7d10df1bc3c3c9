import type { Presence } from '@synctalk/client/contracts'
import { useChat, useCutOff } from '@/lib-react/chat'
import { ago } from '@/lib/text/format'
import { texts } from '@/lib/text/texts'

export const usePresence = (userId: string | null | undefined): Presence | undefined =>
  useKnownPresence(useChat((state) => (userId == null ? undefined : state.presence[userId])))

/** Without a connection no user's presence is known. */
const useKnownPresence = (presence: Presence | undefined): Presence | undefined =>
  useCutOff() ? undefined : presence

/** Online, Away, "Last seen 5 minutes ago", with the custom status before it. */
export function presenceInWords(presence: Presence | undefined, now: number): string | null {
  if (presence === undefined) return null
  const { status, last_seen_at, custom_status, status_emoji } = presence
  const state =
    status === 'offline' && last_seen_at !== null
      ? texts.presence.lastSeen(ago(last_seen_at, now))
      : texts.presence[status]
  const custom = [status_emoji, custom_status].filter(Boolean).join(' ')
  return custom === '' ? state : `${custom} · ${state}`
}
