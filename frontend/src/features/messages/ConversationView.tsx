import { Suspense, useCallback, useEffect, useState } from 'react'
import type { Message } from '@/contracts'
import { useToast } from '@/lib-react/page'
import { useThread } from '@/lib-react/chat'
import { titleOf } from '@/lib/chat/names'
import type { Outgoing } from '@/lib/chat/state'
import type { Summary } from '@/lib/chat/summaries'
import { CallError } from '@/lib/errors'
import { failureText, texts } from '@/lib/text/texts'
import { lazily } from '@/lib-react/lazily'
import { useLive } from '@/lib-react/session'
import type { ChatStore } from '@/lib/chat/store'
import { Composer } from './Composer'
import { History } from './History'
import { TypingLine } from './TypingLine'

const Confirm = lazily(() => import('@/components/Dialog').then((m) => ({ default: m.Confirm })))

/** The messages of a conversation, and the composer. Mounted anew for each conversation. */
export function ConversationView({ summary, focusKey }: { summary: Summary; focusKey: string | null }) {
  const toast = useToast()
  const { id } = summary
  const { chat, connection, drafts, outbox, typing } = useLive()
  const [sentCount, setSentCount] = useState(0)
  const [editing, setEditing] = useState<Message | null>(null)
  const [deleting, setDeleting] = useState<Message | null>(null)
  useMarks(id)
  useEffect(() => typing.stop, [typing])

  const onSent = useCallback(() => setSentCount((count) => count + 1), [])
  const onEditEnd = useCallback(() => setEditing(null), [])
  const onTakeBack = useCallback(
    (item: Outgoing) => {
      if (!outbox.takeBack(item)) return
      setEditing(null)
      drafts.prepend(item.conversation_id, item.body)
    },
    [drafts, outbox],
  )
  const onEditLast = useCallback(
    async (unwanted: () => boolean) => {
      let last = lastOutgoing(chat, id)
      if (last?.sending.state === 'sending') {
        await outbox.settled(last)
        if (unwanted()) return
        last = lastOutgoing(chat, id)
      }
      if (last === undefined) setEditing(lastOwn(chat, id))
      else onTakeBack(last)
    },
    [id, chat, outbox, onTakeBack],
  )

  async function remove({ conversation_id, id: message_id }: Message): Promise<void> {
    try {
      const { message } = await connection.request('message:delete', { conversation_id, message_id })
      chat.dispatch({ type: 'message', message })
    } catch (error) {
      toast(failureText(error instanceof CallError ? error.code : 'other'))
    }
  }

  return (
    <>
      <History
        summary={summary}
        sentCount={sentCount}
        editingId={editing?.id ?? null}
        onEdit={setEditing}
        onDelete={setDeleting}
        onTakeBack={onTakeBack}
      />
      <TypingLine conversationId={id} />
      <Composer
        key={editing?.id ?? 'new'}
        conversationId={id}
        name={titleOf(summary)}
        editing={editing}
        focusKey={focusKey}
        onEditLast={(unwanted) => void onEditLast(unwanted)}
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
  const { loader } = useLive()
  const { membersLoaded, marksMissed, marksReadAt } = useThread(id)
  useEffect(() => {
    // A failure costs only the marks; the details pane shows and repeats it.
    if (!membersLoaded || marksReadAt < marksMissed) loader.loadMembers(id).catch(() => undefined)
  }, [loader, id, membersLoaded, marksMissed, marksReadAt])
}

const lastOutgoing = (chat: ChatStore, id: string): Outgoing | undefined => chat.current.outgoing[id]?.at(-1)

function lastOwn(chat: ChatStore, id: string): Message | null {
  const { messages, range } = chat.thread(id)
  for (let seq = range?.to ?? 0; seq >= (range?.from ?? 1); seq -= 1) {
    const message = messages.get(seq)
    if (message?.sender_id === chat.me && message.deleted_at === null) return message
  }
  return null
}
