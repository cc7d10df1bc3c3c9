import { useState, type FormEvent } from 'react'
import { Button } from '@/components/Button'
import { Dialog } from '@/components/Dialog'
import { Problem } from '@/components/Field'
import { Select } from '@/components/Select'
import { TextArea } from '@/components/TextArea'
import { CallError } from '@synctalk/client/errors'
import { durationInWords } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText, texts } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'
import { ban, mute } from './moderation'

const t = lazyTexts.moderation
const DURATIONS = [3_600, 86_400, 604_800, 2_592_000]
const FOREVER = ''
const MAX_REASON = 500

interface ModerateProps {
  kind: 'ban' | 'mute'
  conversationId: string
  userId: string
  name: string
  onClose: () => void
}

/** Ban or mute a member: for how long, and why. */
export default function ModerateMember({ kind, conversationId, userId, name, onClose }: ModerateProps) {
  const { rest } = useLive()
  const [reason, setReason] = useState('')
  const [duration, setDuration] = useState(kind === 'ban' ? FOREVER : '3600')
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const title = kind === 'ban' ? t.banTitle(name) : t.muteTitle(name)

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    const until = duration === FOREVER ? null : new Date(Date.now() + Number(duration) * 1_000).toISOString()
    setBusy(true)
    setProblem(null)
    try {
      if (kind === 'ban') await ban(rest, conversationId, userId, { reason: reason.trim(), until })
      else await mute(rest, conversationId, userId, until)
      onClose()
    } catch (error) {
      setProblem(failureText(error instanceof CallError ? error.code : 'other'))
      setBusy(false)
    }
  }

  return (
    <Dialog title={title} onClose={onClose}>
      <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4 p-4">
        <p className="text-meta text-text-muted">{kind === 'ban' ? t.banLead : t.muteLead}</p>
        {problem !== null && <Problem>{problem}</Problem>}
        <Select
          label={t.duration}
          value={duration}
          options={[
            ...DURATIONS.map((s) => ({ value: String(s), text: durationInWords(s) })),
            { value: FOREVER, text: t.untilLifted },
          ]}
          onChange={setDuration}
        />
        {kind === 'ban' && (
          <TextArea
            label={t.reason}
            hint={t.reasonHint}
            maxLength={MAX_REASON}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{texts.cancel}</Button>
          <Button type="submit" look="final" busy={busy}>
            {kind === 'ban' ? t.ban : t.mute}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
