import type { PresenceStatus, ToServerEvents } from '@synctalk/client/contracts'
import { MenuChoice } from '@/components/Menu'
import { PresenceDot } from '@/components/PresenceDot'
import { useOwnStatus } from '@/lib-react/chat'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { texts } from '@/lib/text/texts'
import { useSetPresence } from './useSetPresence'

const t = texts.presence

type Wanted = NonNullable<ToServerEvents['presence:set']['status']>

const CHOICES: readonly { value: Wanted; status: PresenceStatus }[] = [
  { value: 'online', status: 'online' },
  { value: 'away', status: 'away' },
  { value: 'dnd', status: 'dnd' },
  { value: 'invisible', status: 'offline' },
]

/** The choices of one's own status, in a menu. */
export function StatusChoices() {
  const set = useSetPresence()
  const status = useOwnStatus()
  const value = CHOICES.find((choice) => choice.status === status)?.value ?? 'online'
  return (
    <MenuChoice
      label={lazyTexts.presence.set}
      value={value}
      options={CHOICES.map((choice) => ({
        value: choice.value,
        text: choice.value === 'invisible' ? `${t.invisible} · ${t.invisibleLead}` : t[choice.value],
        lead: <PresenceDot status={choice.status} />,
      }))}
      onChange={(next) => set({ status: next })}
    />
  )
}
