import type { ChangeOf } from './change.js'
import type { Draft } from './draft.js'
import { mergeMembers } from './members.js'
import { dropStaleMessages, mergeMessage } from './messages.js'
import { advance, predatesRemoval } from './progress.js'

/** Merge everything that changed since the cursor. */
export function mergeSync(draft: Draft, change: ChangeOf<'synced'>): void {
  const { conversation_id: id, messages, members, change_seq } = change
  if (predatesRemoval(draft.peek(id).removedAt, change_seq)) return
  for (const message of messages) mergeMessage(draft, message)
  mergeMembers(draft, id, members)
  const { progress } = draft.peek(id)
  advance(draft, id, Math.max(progress?.upTo ?? 0, change_seq), progress?.ahead ?? new Set())
}

/** Start over at the server's cursor; what is loaded stays in view until the history is loaded again. */
export function reset(draft: Draft, { conversation_id: id, change_seq }: ChangeOf<'reset'>): void {
  const { removedAt, progress, range } = draft.peek(id)
  if (removedAt !== null) return
  const thread = draft.thread(id)
  // The cursor may have been ahead of the server, so here it may fall.
  thread.progress = {
    upTo: change_seq,
    ahead: new Set([...(progress?.ahead ?? [])].filter((seq) => seq > change_seq)),
  }
  thread.membersLoaded = false
  thread.staleAt = change_seq
  if (range === null) dropStaleMessages(draft, id)
}
