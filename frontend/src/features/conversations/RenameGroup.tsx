import { useState, type FormEvent } from 'react'
import { Button } from '@/components/Button'
import { Dialog } from '@/components/Dialog'
import { Field } from '@/components/Field'
import { problemsOf } from '@/lib/text/problems'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { texts } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'

interface RenameProps {
  conversationId: string
  title: string
  onClose: () => void
}

export function RenameGroup({ conversationId, title, onClose }: RenameProps) {
  const { conversations } = useLive()
  const [text, setText] = useState(title)
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (text.trim() === '') return setProblem(lazyTexts.session.required)
    if (text.trim() === title) return onClose()
    setBusy(true)
    try {
      await conversations.changeGroup(conversationId, { title: text.trim() })
      onClose()
    } catch (error) {
      const { title: inTitle, all } = problemsOf(error, ['title'])
      setProblem(inTitle ?? all ?? null)
      setBusy(false)
    }
  }

  return (
    <Dialog title={lazyTexts.details.renameTitle} onClose={onClose}>
      <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-3 p-4">
        <Field
          label={lazyTexts.start.groupTitle}
          data-autofocus
          maxLength={128}
          value={text}
          onChange={(event) => {
            setText(event.target.value)
            setProblem(null)
          }}
          problem={problem}
        />
        <Button type="submit" look="primary" busy={busy} className="self-end">
          {texts.save}
        </Button>
      </form>
    </Dialog>
  )
}
