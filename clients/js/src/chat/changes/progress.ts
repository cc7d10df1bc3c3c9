/** How far the changes of a conversation are known. */
import type { Draft } from './draft.js'

/** Whether a change is of the time before the user was removed. */
export const predatesRemoval = (removedAt: number | null, changeSeq: number): boolean =>
  removedAt !== null && changeSeq <= removedAt

/** Follow every change from here on. Messages that came earlier are dropped, as their later changes may be missing. */
export function startProgress(draft: Draft, id: string, changeSeq: number): void {
  const thread = draft.thread(id)
  if (
    thread.range === null &&
    [...thread.messages.values()].some((message) => message.change_seq < changeSeq)
  ) {
    const messages = draft.messages(id)
    for (const [seq, message] of messages) if (message.change_seq < changeSeq) messages.delete(seq)
    thread.top = Math.max(0, ...messages.keys())
  }
  thread.progress = { upTo: changeSeq, ahead: new Set() }
}

/** Note that one change was seen; the cursor moves once all before it were. */
export function markSeen(draft: Draft, id: string, changeSeq: number): void {
  const { progress, removedAt } = draft.peek(id)
  if (removedAt !== null || progress === null || changeSeq <= progress.upTo || progress.ahead.has(changeSeq))
    return
  advance(draft, id, progress.upTo, new Set(progress.ahead).add(changeSeq))
}

/** Move the cursor to `upTo`, and on over the changes that are known beyond it. */
export function advance(draft: Draft, id: string, upTo: number, ahead: ReadonlySet<number>): void {
  let reached = upTo
  while (ahead.has(reached + 1)) reached += 1
  draft.thread(id).progress = { upTo: reached, ahead: new Set([...ahead].filter((seq) => seq > reached)) }
}
