import type { Outgoing } from '../state.js'
import type { Draft } from './draft.js'

/** Add or update a message on its way, unless the server has sent it back already. */
export function putOutgoing(draft: Draft, item: Outgoing): void {
  const { conversation_id: id, client_message_id } = item
  for (const message of draft.peek(id).messages.values()) {
    if (message.client_message_id === client_message_id && message.sender_id === draft.me) return
  }
  const items = draft.state.outgoing[id] ?? []
  const isKnown = items.some((other) => other.client_message_id === client_message_id)
  const next = isKnown
    ? items.map((other) => (other.client_message_id === client_message_id ? item : other))
    : [...items, item]
  draft.state.outgoing = { ...draft.state.outgoing, [id]: next }
}

export function dropOutgoing(draft: Draft, id: string, clientMessageId: string): void {
  const items = draft.state.outgoing[id]
  if (items === undefined || !items.some((item) => item.client_message_id === clientMessageId)) return
  const next = items.filter((item) => item.client_message_id !== clientMessageId)
  draft.state.outgoing = { ...draft.state.outgoing, [id]: next }
}
