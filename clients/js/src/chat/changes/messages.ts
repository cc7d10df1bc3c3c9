import type { Message } from '../../contracts.js'
import { isThreadOnly, placeOf } from '../replies.js'
import type { Range } from '../state.js'
import type { ChangeOf } from './change.js'
import type { Draft } from './draft.js'
import { dropOutgoing } from './outgoing.js'
import { predatesRemoval } from './progress.js'
import { raiseMarks } from './receipts.js'
import { hasGrown } from './streams.js'
import { setTyping } from './typing.js'

export function mergeMessage(draft: Draft, message: Message): void {
  const id = message.conversation_id
  const thread = draft.peek(id)
  if (predatesRemoval(thread.removedAt, message.change_seq)) return
  const known = thread.messages.get(message.seq)
  if (known === undefined || known.change_seq < message.change_seq || hasGrown(known, message))
    draft.messages(id).set(message.seq, message)
  if (known === undefined) {
    if (message.seq > thread.top) draft.thread(id).top = message.seq
    growRange(draft, id)
    if (message.system != null) return
    // Sending a message marks everything before it as read; a reply in a thread reads the thread alone.
    if (!isThreadOnly(message))
      raiseMarks(draft, id, message.sender_id, { delivered_seq: message.seq, read_seq: message.seq })
    setTyping(draft, placeOf(id, message.thread_id ?? null), message.sender_id, null)
  }
  if (message.sender_id === draft.me) dropOutgoing(draft, id, message.client_message_id)
}

export function mergeHistory(draft: Draft, change: ChangeOf<'history'>): void {
  const { conversation_id: id, messages: page, mode } = change
  if (draft.peek(id).removedAt !== null) return
  if (mode === 'replace') dropStaleMessages(draft, id)
  for (const message of page) mergeMessage(draft, message)
  const thread = draft.thread(id)
  const loaded = rangeOf(page)
  thread.range = mode === 'replace' || thread.range === null ? loaded : joined(thread.range, loaded)
  growRange(draft, id)
}

/** Drop what a reset made stale. */
export function dropStaleMessages(draft: Draft, id: string): void {
  const { staleAt } = draft.peek(id)
  if (staleAt === null) return
  const messages = draft.messages(id)
  for (const [seq, message] of messages) if (message.change_seq <= staleAt) messages.delete(seq)
  Object.assign(draft.thread(id), { staleAt: null, top: Math.max(0, ...messages.keys()) })
}

/** Message numbers have no gaps, so the loaded range extends as far as messages are adjacent. */
function growRange(draft: Draft, id: string): void {
  const { range, messages } = draft.peek(id)
  if (range === null) return
  let { from, to } = range
  while (messages.has(to + 1)) to += 1
  while (messages.has(from - 1)) from -= 1
  if (from !== range.from || to !== range.to) draft.thread(id).range = { from, to }
}

function rangeOf(page: readonly Message[]): Range {
  const first = page[0]
  const last = page.at(-1)
  return first === undefined || last === undefined ? { from: 1, to: 0 } : { from: first.seq, to: last.seq }
}

/** Join two ranges that touch; a page that lies apart (requested before a jump) changes nothing. */
function joined(current: Range, loaded: Range): Range {
  if (loaded.from > loaded.to || loaded.from > current.to + 1 || loaded.to < current.from - 1) return current
  return { from: Math.min(current.from, loaded.from), to: Math.max(current.to, loaded.to) }
}
