import { useState, type FormEvent } from 'react'
import type { Message } from '@synctalk/client/contracts'
import { Button } from '@/components/Button'
import { Dialog } from '@/components/Dialog'
import { Problem } from '@/components/Field'
import { TextArea } from '@/components/TextArea'
import { CallError } from '@synctalk/client/errors'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText, texts } from '@/lib/text/texts'
import { useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'
import { QuotedText } from './Quote'

const t = lazyTexts.moderation
const MAX_REASON = 500

/** Report a message to the operators of the server. */
export default function ReportMessage({ message, onClose }: { message: Message; onClose: () => void }) {
  const { rest } = useLive()
  const toast = useToast()
  const [reason, setReason] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setProblem(null)
    try {
      const url = `/v1/conversations/${message.conversation_id}/messages/${message.id}/report`
      await rest.call<void>({ method: 'POST', url, data: { reason: reason.trim() } })
      toast(t.reported)
      onClose()
    } catch (error) {
      setProblem(failureText(error instanceof CallError ? error.code : 'other'))
      setBusy(false)
    }
  }

  return (
    <Dialog title={t.reportTitle} onClose={onClose}>
      <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4 p-4">
        <p className="flex rounded-control border-s-2 border-border-strong bg-bg-hover px-3 py-2 text-meta">
          <QuotedText message={message} />
        </p>
        <p className="text-meta text-text-muted">{t.reportLead}</p>
        {problem !== null && <Problem>{problem}</Problem>}
        <TextArea
          label={t.reportReason}
          data-autofocus
          maxLength={MAX_REASON}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{texts.cancel}</Button>
          <Button type="submit" look="final" busy={busy}>
            {texts.messages.report}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
