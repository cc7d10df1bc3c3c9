import type { Message } from '../../contracts.js'
import type { ChangeOf } from './change.js'
import type { Draft } from './draft.js'

/** Add to a streamed message what it does not have yet. What begins beyond its end is left out: the message is loaded. */
export function addDelta(draft: Draft, { conversation_id: id, seq, at, text }: ChangeOf<'delta'>): void {
  const message = draft.peek(id).messages.get(seq)
  if (message?.streaming !== true) return
  const have = [...message.body].length
  const added = [...text].slice(Math.max(0, have - at)).join('')
  if (at > have || added === '') return
  draft.messages(id).set(seq, { ...message, body: message.body + added })
}

/** Of two states of one change the longer text is the later: a text grows without a change of its own. */
export const hasGrown = (known: Message, next: Message): boolean =>
  known.streaming === true &&
  next.streaming === true &&
  known.change_seq === next.change_seq &&
  next.body.length > known.body.length
