import type { Conversation } from '@/contracts'
import { NO_THREAD } from '../state'
import type { Draft } from './draft'
import { mergeMessage } from './messages'
import { predatesRemoval, startProgress } from './progress'
import { raiseMarks } from './receipts'
import { mergeUsers } from './users'

export function mergeConversation(draft: Draft, next: Conversation): void {
  const { snapshot, removedAt, progress } = draft.peek(next.id)
  if (predatesRemoval(removedAt, next.change_seq)) return
  const thread = draft.thread(next.id)
  thread.removedAt = null
  if (snapshot === null || isNewer(next, snapshot)) thread.snapshot = next
  if (progress === null) startProgress(draft, next.id, next.change_seq)
  if (next.peer !== null) mergeUsers(draft, [next.peer])
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
  const { [id]: _typing, ...typing } = draft.state.typing
  draft.state.typing = typing
}
