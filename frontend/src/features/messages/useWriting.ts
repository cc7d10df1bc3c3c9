import { useCallback, useState } from 'react'
import type { Message } from '@synctalk/client/contracts'
import { useMessage, useReplyTo } from '@/lib-react/chat'
import { useLive } from '@/lib-react/session'
import { isThreadOnly, outgoingTo, placeOf, repliesIn } from '@synctalk/client/chat/replies'
import type { Outgoing } from '@synctalk/client/chat/state'
import type { ChatStore } from '@synctalk/client/chat/store'

/** What is being written in a conversation, or in one of its threads: new, an answer, or a change. */
export function useWriting(id: string, threadId: string | null) {
  const { chat, drafts, outbox, uploads } = useLive()
  const place = placeOf(id, threadId)
  const [sentCount, setSentCount] = useState(0)
  const [editing, setEditing] = useState<Message | null>(null)
  const replying = useMessage(id, useReplyTo(place)) ?? null

  const onSent = useCallback(() => setSentCount((count) => count + 1), [])
  const onEditEnd = useCallback(() => setEditing(null), [])
  const onReplyEnd = useCallback(() => drafts.setReply(place, null), [place, drafts])
  const onReply = useCallback(
    (message: Message) => {
      setEditing(null)
      drafts.setReply(place, message.id)
    },
    [place, drafts],
  )
  const onTakeBack = useCallback(
    (item: Outgoing) => {
      if (!outbox.takeBack(item)) return
      if (item.forward !== null) return
      setEditing(null)
      const from = placeOf(item.conversation_id, item.thread_id)
      if (item.body !== '') drafts.prepend(from, item.body)
      uploads.putBack(from, item.files)
      if (item.reply_to !== null) drafts.setReply(from, item.reply_to)
    },
    [drafts, outbox, uploads],
  )
  const onEditLast = useCallback(
    async (unwanted: () => boolean) => {
      let last = lastOutgoing(chat, id, threadId)
      if (last?.sending.state === 'sending') {
        await outbox.settled(last)
        if (unwanted()) return
        last = lastOutgoing(chat, id, threadId)
      }
      if (last === undefined) setEditing(lastOwn(chat, id, threadId))
      else onTakeBack(last)
    },
    [id, threadId, chat, outbox, onTakeBack],
  )
  return {
    place,
    sentCount,
    editing,
    replying: editing === null ? replying : null,
    onEdit: setEditing,
    onSent,
    onEditEnd,
    onReply,
    onReplyEnd,
    onTakeBack,
    onEditLast,
  }
}

const lastOutgoing = (chat: ChatStore, id: string, threadId: string | null): Outgoing | undefined =>
  outgoingTo(chat.current.outgoing[id] ?? [], threadId).at(-1)

function lastOwn(chat: ChatStore, id: string, threadId: string | null): Message | null {
  const { messages, range } = chat.thread(id)
  const mayChange = (message: Message): boolean =>
    message.sender_id === chat.me && message.deleted_at === null && message.system == null
  if (threadId !== null) return [...repliesIn(messages, threadId, 0).values()].findLast(mayChange) ?? null
  for (let seq = range?.to ?? 0; seq >= (range?.from ?? 1); seq -= 1) {
    const message = messages.get(seq)
    if (message !== undefined && mayChange(message) && !isThreadOnly(message)) return message
  }
  return null
}
