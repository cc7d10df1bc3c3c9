import type { Conversation } from '../../contracts.js'
import { NO_THREAD } from '../state.js'
import type { Draft } from './draft.js'
import { mergeMessage } from './messages.js'
import { predatesRemoval, startProgress } from './progress.js'
import { raiseMarks } from './receipts.js'
import { reset } from './sync.js'
import { dropTyping } from './typing.js'
import { mergeUsers } from './users.js'

export function mergeConversation(draft: Draft, next: Conversation): void {
  const { snapshot, removedAt, progress } = draft.peek(next.id)
  if (predatesRemoval(removedAt, next.change_seq)) return
  const thread = draft.thread(next.id)
  thread.removedAt = null
  if (snapshot === null || isNewer(next, snapshot)) thread.snapshot = next
  // Other messages than before exist for this user.
  if (thread.snapshot === next && snapshot !== null && snapshot.history !== next.history)
    reset(draft, { type: 'reset', conversation_id: next.id, change_seq: next.change_seq })
  if (progress === null) startProgress(draft, next.id, next.change_seq)
  // The peer of an older state may have had another name.
  if (thread.snapshot === next && next.peer !== null) mergeUsers(draft, [next.peer])
  if (next.last_message !== null) mergeMessage(draft, next.last_message)
  raiseMarks(draft, next.id, draft.me, { delivered_seq: next.read_seq, read_seq: next.read_seq })
}

/** One's own read mark moves without a change of the conversation. */
const isNewer = (next: Conversation, current: Conversation): boolean =>
  next.change_seq === current.change_seq
    ? next.read_seq >= current.read_seq
    : next.change_seq > current.change_seq

/** Drop a conversation that the user is no longer in. `changeSeq` null: no change names the removal. */
export function removeConversation(draft: Draft, id: string, changeSeq: number | null): void {
  const { snapshot, removedAt, progress } = draft.peek(id)
  if (changeSeq === null && removedAt !== null) return
  if (changeSeq !== null) {
    if (predatesRemoval(removedAt, changeSeq) || (snapshot?.change_seq ?? 0) > changeSeq) return
  }
  const seen = Math.max(progress?.upTo ?? 0, snapshot?.change_seq ?? 0, ...(progress?.ahead ?? []))
  Object.assign(draft.thread(id), NO_THREAD, { removedAt: Math.max(seen, changeSeq ?? 0) })
  dropTyping(draft, id)
}
