import { useState, type FormEvent } from 'react'
import { Button } from '@/components/Button'
import { Dialog } from '@/components/Dialog'
import { Field } from '@/components/Field'
import { renameGroup } from '@/lib/actions'
import { CallError } from '@/lib/errors'
import { failureText, texts } from '@/lib/text/texts'

interface RenameProps {
  conversationId: string
  title: string
  onClose: () => void
}

export function RenameGroup({ conversationId, title, onClose }: RenameProps) {
  const [text, setText] = useState(title)
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (text.trim() === '') return setProblem(texts.session.required)
    if (text.trim() === title) return onClose()
    setBusy(true)
    try {
      await renameGroup(conversationId, text.trim())
      onClose()
    } catch (error) {
      setProblem(failureText(error instanceof CallError ? error.code : 'other'))
      setBusy(false)
    }
  }

  return (
    <Dialog title={texts.details.renameTitle} onClose={onClose}>
      <form noValidate onSubmit={(event) => void submit(event)} className="flex flex-col gap-3 p-4">
        <Field
          label={texts.start.groupTitle}
          data-autofocus
          maxLength={128}
          value={text}
          onChange={(event) => setText(event.target.value)}
          problem={problem}
        />
        <Button type="submit" look="primary" busy={busy} className="self-end">
          {texts.save}
        </Button>
      </form>
    </Dialog>
  )
}
