import type { ChangeOf } from './change.js'
import type { Draft } from './draft.js'
import { predatesRemoval } from './progress.js'

/** Keep what a root says of its replies. It comes outside of the order of changes, so the message itself stays as it is. */
export function mergeHead(draft: Draft, change: ChangeOf<'head'>): void {
  const { conversation_id: id, thread_id, thread, change_seq } = change
  const { removedAt, heads } = draft.peek(id)
  if (predatesRemoval(removedAt, change_seq) || (heads[thread_id]?.change_seq ?? 0) >= change_seq) return
  draft.thread(id).heads = { ...heads, [thread_id]: { thread, change_seq } }
}
