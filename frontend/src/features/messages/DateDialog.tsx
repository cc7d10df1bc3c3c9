import { useState, type FormEvent } from 'react'
import { Button } from '@/components/Button'
import { Dialog } from '@/components/Dialog'
import { Field } from '@/components/Field'
import { useLive } from '@/lib-react/session'
import { CallError } from '@synctalk/client/errors'
import { dayForField } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText } from '@/lib/text/texts'

const t = lazyTexts.dates

interface DateProps {
  conversationId: string
  /** The day that is shown first. */
  iso: string
  onFound: (seq: number) => void
  onClose: () => void
}

/** Choose a day; its first message, or the next one after it, is gone to. */
export default function DateDialog({ conversationId, iso, onFound, onClose }: DateProps) {
  const { messages } = useLive()
  const [day, setDay] = useState(() => dayForField(new Date(iso)))
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    const start = new Date(`${day}T00:00`)
    if (Number.isNaN(start.getTime())) return setProblem(lazyTexts.session.required)
    setBusy(true)
    setProblem(null)
    try {
      const seq = await messages.firstSince(conversationId, start)
      if (seq === null) return setProblem(t.nothing)
      onClose()
      onFound(seq)
    } catch (error) {
      setProblem(failureText(error instanceof CallError ? error.code : 'other'))
    } finally {
      setBusy(false)
    }
  }

  return (
    <Dialog title={t.title} onClose={onClose}>
      <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-4 p-4">
        <Field
          label={t.date}
          type="date"
          data-autofocus
          value={day}
          onChange={(event) => {
            setDay(event.target.value)
            setProblem(null)
          }}
          problem={problem}
        />
        <Button type="submit" look="primary" busy={busy} className="self-end">
          {t.go}
        </Button>
      </form>
    </Dialog>
  )
}
