import { Suspense, useCallback, useEffect, useState } from 'react'
import type { Message } from '@/contracts'
import { toast } from '@/components/Toasts'
import { titleOf } from '@/lib/chat/names'
import { dispatch, threadOf, useMe, useThread } from '@/lib/chat/store'
import type { Summary } from '@/lib/chat/summaries'
import { CallError } from '@/lib/errors'
import { loadMembers } from '@/lib/live/loading'
import { stopTyping } from '@/lib/live/typing'
import { ask } from '@/lib/socket'
import { failureText, texts } from '@/lib/text/texts'
import { lazily } from '@/lib/lazily'
import { Composer } from './Composer'
import { History } from './History'
import { TypingLine } from './TypingLine'

const Confirm = lazily(() => import('@/components/Dialog').then((m) => ({ default: m.Confirm })))

/** What is said in a conversation, and where one says it. Mounted anew for each conversation. */
export function ConversationView({ summary, focusKey }: { summary: Summary; focusKey: string | null }) {
  const { id } = summary
  const me = useMe()
  const [sentCount, setSentCount] = useState(0)
  const [editing, setEditing] = useState<Message | null>(null)
  const [deleting, setDeleting] = useState<Message | null>(null)
  useMarks(id)
  useEffect(() => stopTyping, [])

  const onSent = useCallback(() => setSentCount((count) => count + 1), [])
  const onEditEnd = useCallback(() => setEditing(null), [])
  const onEditLast = useCallback(() => setEditing(lastOwn(id, me)), [id, me])

  async function remove({ conversation_id, id: message_id }: Message): Promise<void> {
    try {
      const { message } = await ask('message:delete', { conversation_id, message_id })
      dispatch({ type: 'message', message })
    } catch (error) {
      toast(failureText(error instanceof CallError ? error.code : 'other'))
    }
  }

  return (
    <>
      <History summary={summary} sentCount={sentCount} onEdit={setEditing} onDelete={setDeleting} />
      <TypingLine conversationId={id} />
      <Composer
        key={editing?.id ?? 'new'}
        conversationId={id}
        name={titleOf(summary)}
        editing={editing}
        focusKey={focusKey}
        onEditLast={onEditLast}
        onEditEnd={onEditEnd}
        onSent={onSent}
      />
      {deleting !== null && (
        <Suspense>
          <Confirm
            question={texts.messages.deleteQuestion}
            action={texts.messages.delete}
            onConfirm={() => void remove(deleting)}
            onClose={() => setDeleting(null)}
          />
        </Suspense>
      )}
    </>
  )
}

/** The others' marks come with the members; without them every own message would only look sent. */
function useMarks(id: string): void {
  const { membersLoaded, marksMissed, marksReadAt } = useThread(id)
  useEffect(() => {
    // A failure costs only the marks; the details pane shows and repeats it.
    if (!membersLoaded || marksReadAt < marksMissed) loadMembers(id).catch(() => undefined)
  }, [id, membersLoaded, marksMissed, marksReadAt])
}

function lastOwn(id: string, me: string): Message | null {
  const { messages, range } = threadOf(id)
  for (let seq = range?.to ?? 0; seq >= (range?.from ?? 1); seq -= 1) {
    const message = messages.get(seq)
    if (message?.sender_id === me && message.deleted_at === null) return message
  }
  return null
}
