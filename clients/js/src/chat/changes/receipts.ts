import type { Watermarks } from '../state.js'
import type { Draft } from './draft.js'

/** Raise a member's marks; they never fall. */
export function raiseMarks(draft: Draft, id: string, userId: string, marks: Watermarks): void {
  const { removedAt, marks: all } = draft.peek(id)
  if (removedAt !== null) return
  const old = all[userId]
  const read_seq = Math.max(old?.read_seq ?? 0, marks.read_seq)
  const delivered_seq = Math.max(old?.delivered_seq ?? 0, marks.delivered_seq, read_seq)
  if (old !== undefined && old.read_seq === read_seq && old.delivered_seq === delivered_seq) return
  const thread = draft.thread(id)
  thread.marks = { ...thread.marks, [userId]: { delivered_seq, read_seq } }
}

export function countMissedReceipts(draft: Draft, ids: readonly string[]): void {
  for (const id of ids) if (draft.peek(id).snapshot !== null) draft.thread(id).marksMissed += 1
}
