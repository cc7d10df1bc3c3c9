import { useState } from 'react'
import type { Conversation } from '@synctalk/client/contracts'
import { Problem } from '@/components/Field'
import { Select } from '@/components/Select'
import { Switch } from '@/components/Switch'
import type { GroupChange } from '@synctalk/client/live/conversations'
import { durationInWords } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { useLive } from '@/lib-react/session'
import { useWork } from './useWork'

const t = lazyTexts.group
const SLOW = [0, 5, 10, 30, 60, 300, 900, 3_600, 21_600]

const slowText = (seconds: number): string => (seconds === 0 ? t.slowOff : durationInWords(seconds))

/** Who finds the group, who may write in it and how often; each choice holds at once. */
export function AccessForm({ group, wholly }: { group: Conversation; wholly: boolean }) {
  const { conversations } = useLive()
  const { failed, run } = useWork()
  // What was chosen shows at once, and falls back where it is refused.
  const [wanted, setWanted] = useState<GroupChange>({})
  const shown = { ...group, ...wanted }
  const change = (data: GroupChange): void =>
    run(async () => {
      setWanted(data)
      await conversations.changeGroup(group.id, data).finally(() => setWanted({}))
    })
  const slow = shown.slow_mode_s ?? 0
  const choices = SLOW.includes(slow) ? SLOW : [...SLOW, slow].sort((a, b) => a - b)
  return (
    <div className="flex flex-col gap-4">
      {failed !== null && <Problem>{failed}</Problem>}
      {wholly && (
        <Switch
          label={t.public}
          lead={t.publicLead}
          on={shown.visibility === 'public'}
          onChange={(on) => change({ visibility: on ? 'public' : 'private' })}
        />
      )}
      <Switch
        label={t.onlyAdmins}
        lead={t.onlyAdminsLead}
        on={shown.posting === 'admins'}
        onChange={(on) => change({ posting: on ? 'admins' : 'everyone' })}
      />
      <Select
        label={t.slowMode}
        hint={t.slowModeHint}
        value={String(slow)}
        options={choices.map((seconds) => ({ value: String(seconds), text: slowText(seconds) }))}
        onChange={(seconds) => change({ slow_mode_s: Number(seconds) })}
      />
    </div>
  )
}
