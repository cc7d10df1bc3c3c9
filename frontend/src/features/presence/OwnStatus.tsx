import type { PresenceStatus, ToServerEvents } from '@/contracts'
import { MenuChoice } from '@/components/Menu'
import { PresenceDot } from '@/components/PresenceDot'
import { useOwnStatus } from '@/lib-react/chat'
import { texts } from '@/lib/text/texts'
import { useSetPresence } from './useSetPresence'

const t = texts.presence

type Wanted = NonNullable<ToServerEvents['presence:set']['status']>

const CHOICES: readonly { value: Wanted; text: string; status: PresenceStatus }[] = [
  { value: 'online', text: t.online, status: 'online' },
  { value: 'away', text: t.away, status: 'away' },
  { value: 'dnd', text: t.dnd, status: 'dnd' },
  { value: 'invisible', text: `${t.invisible} · ${t.invisibleLead}`, status: 'offline' },
]

/** The choices of one's own status, in a menu. */
export function StatusChoices() {
  const set = useSetPresence()
  const status = useOwnStatus()
  const value = CHOICES.find((choice) => choice.status === status)?.value ?? 'online'
  return (
    <MenuChoice
      label={t.set}
      value={value}
      options={CHOICES.map((choice) => ({
        value: choice.value,
        text: choice.text,
        lead: <PresenceDot status={choice.status} />,
      }))}
      onChange={(next) => set({ status: next })}
    />
  )
}
