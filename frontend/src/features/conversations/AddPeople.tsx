import { useState } from 'react'
import type { User } from '@/contracts'
import { Button } from '@/components/Button'
import { Dialog } from '@/components/Dialog'
import { Problem } from '@/components/Field'
import { addMembers } from '@/lib/actions'
import { useThread } from '@/lib/chat/store'
import { CallError } from '@/lib/errors'
import { failureText, texts } from '@/lib/text/texts'
import { toggled } from './NewConversation'
import { PeoplePicker } from './PeoplePicker'

export function AddPeople({ conversationId, onClose }: { conversationId: string; onClose: () => void }) {
  const { members } = useThread(conversationId)
  const [chosen, setChosen] = useState<readonly User[]>([])
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function add(): Promise<void> {
    setBusy(true)
    setProblem(null)
    try {
      await addMembers(
        conversationId,
        chosen.map((user) => user.id),
      )
      onClose()
    } catch (error) {
      setProblem(failureText(error instanceof CallError ? error.code : 'other'))
      setBusy(false)
    }
  }

  return (
    <Dialog title={texts.details.addTitle} onClose={onClose}>
      <PeoplePicker
        chosen={chosen}
        onPick={(user) => setChosen(toggled(chosen, user))}
        taken={(id) => members[id] !== undefined && members[id].role !== null}
      >
        <p className="px-2.5 py-3 text-meta text-text-muted">{texts.start.peopleHint}</p>
      </PeoplePicker>
      <footer className="flex flex-col gap-3 border-t border-border px-4 py-3">
        {problem !== null && <Problem>{problem}</Problem>}
        <Button
          look="primary"
          busy={busy}
          disabled={chosen.length === 0}
          onClick={() => void add()}
          className="self-end"
        >
          {texts.details.addChosen(chosen.length)}
        </Button>
      </footer>
    </Dialog>
  )
}
