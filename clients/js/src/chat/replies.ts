/** Threads within a conversation: which messages are replies, and what a root says of its replies. Pure. */
import type { Message, ThreadSummary } from '../contracts.js'
import type { Outgoing, Thread } from './state.js'

type Placed = Pick<Message, 'thread_id' | 'also_in_conversation'>

/** Whether a message is shown in its thread alone. */
export const isThreadOnly = ({ thread_id, also_in_conversation }: Placed): boolean =>
  thread_id != null && also_in_conversation !== true

/** Where one writes: the conversation, or one of its threads. Drafts and attached files are kept by it. */
export const placeOf = (conversationId: string, threadId: string | null): string =>
  threadId === null ? conversationId : `${conversationId}/${threadId}`

/** The address of a thread, or of one of its replies. */
export const threadPath = (conversationId: string, threadId: string, seq?: number): string =>
  `/c/${conversationId}/thread/${threadId}${seq === undefined ? '' : `?at=${String(seq)}`}`

/** The address of a message: in the thread that has it, else in the conversation. */
export const pathOf = (message: Message): string =>
  message.thread_id != null && isThreadOnly(message)
    ? threadPath(message.conversation_id, message.thread_id, message.seq)
    : `/c/${message.conversation_id}?at=${String(message.seq)}`

/** What the root says of its replies, by the later of what is known of it. */
export function replySummaryOf({ heads }: Pick<Thread, 'heads'>, root: Message): ThreadSummary | null {
  const head = heads[root.id]
  return head !== undefined && head.change_seq > root.change_seq ? head.thread : (root.thread ?? null)
}

/** The replies that are known, from `from` on, by their number. */
export function repliesIn(
  messages: ReadonlyMap<number, Message>,
  threadId: string,
  from: number,
): Map<number, Message> {
  const replies = [...messages.values()].filter(({ thread_id, seq }) => thread_id === threadId && seq >= from)
  return new Map(replies.sort((a, b) => a.seq - b.seq).map((reply) => [reply.seq, reply]))
}

/** What is on its way to the thread; null: to the conversation itself. */
export const outgoingTo = (items: readonly Outgoing[], threadId: string | null): Outgoing[] =>
  items.filter((item) => (threadId === null ? !isThreadOnly(item) : item.thread_id === threadId))
