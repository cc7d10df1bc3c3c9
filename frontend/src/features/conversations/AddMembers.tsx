import { useState } from 'react'
import type { User } from '@synctalk/client/contracts'
import { Button } from '@/components/Button'
import { Dialog } from '@/components/Dialog'
import { Problem } from '@/components/Field'
import { useThread } from '@/lib-react/chat'
import { CallError } from '@synctalk/client/errors'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'
import { toggled } from './NewConversation'
import { UserPicker } from './UserPicker'

export function AddMembers({ conversationId, onClose }: { conversationId: string; onClose: () => void }) {
  const { conversations } = useLive()
  const { members } = useThread(conversationId)
  const [chosen, setChosen] = useState<readonly User[]>([])
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function add(): Promise<void> {
    setBusy(true)
    setProblem(null)
    try {
      await conversations.addMembers(
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
    <Dialog title={lazyTexts.details.addTitle} onClose={onClose}>
      <UserPicker
        chosen={chosen}
        onPick={(user) => setChosen(toggled(chosen, user))}
        taken={(id) => members[id] !== undefined && members[id].role !== null}
      >
        <p className="px-2.5 py-3 text-meta text-text-muted">{lazyTexts.start.userHint}</p>
      </UserPicker>
      <footer className="flex flex-col gap-3 border-t border-border px-4 py-3">
        {problem !== null && <Problem>{problem}</Problem>}
        <Button
          look="primary"
          busy={busy}
          disabled={chosen.length === 0}
          onClick={() => void add()}
          className="self-end"
        >
          {lazyTexts.details.addChosen(chosen.length)}
        </Button>
      </footer>
    </Dialog>
  )
}
