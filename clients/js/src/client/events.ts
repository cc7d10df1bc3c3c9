/**
 * What `Client.events` yields.
 *
 * Of one conversation, the events that have a `change_seq` come in its order, each change once, and none is missing:
 * whoever has got one knows all that happened before it. After an absence, changes of one message come as one, its state
 * now.
 */
import type {
  Conversation,
  Message,
  MessageDeltaToClient,
  MessageEphemeralToClient,
  Presence,
  ReceiptUpdatedToClient,
  Role,
  TypingToClient,
  User,
} from '../contracts.js'

/** A new message, one's own too; one that was edited or reacted to; one that was deleted. */
export interface MessageEvent {
  type: 'message.created' | 'message.updated' | 'message.deleted'
  message: Message
}

/** Somebody joined, left, has another role, or was muted. */
export interface MemberEvent {
  type: 'member.changed'
  conversation_id: string
  user_id: string
  /** Null: no member any more. */
  role: Role | null
  change_seq: number
  /** May read and not write until then. */
  muted_until: string | null
}

export type ConversationEvent =
  /** One that the user was not in before. Its later changes follow. */
  | { type: 'conversation.added'; conversation: Conversation }
  /** As it is now. */
  | { type: 'conversation.updated'; conversation: Conversation }
  /** The user is no member any more; nothing more of it comes. */
  | { type: 'conversation.removed'; conversation_id: string }
  /** Too much happened during an absence: what is kept of the conversation is to be loaded anew. */
  | { type: 'history.reset'; conversation_id: string; change_seq: number }

/** What has no number: that of an absence does not come. */
export type PassingEvent =
  /** More of a message that is being written; `at` is in code points. Where it is beyond the text that one has, the
   * message is loaded. `message.updated` with the whole text follows in any case. */
  | ({ type: 'message.delta' } & MessageDeltaToClient)
  /** The app says something to whoever is there. It is stored nowhere. */
  | { type: 'message.ephemeral'; message: MessageEphemeralToClient }
  | ({ type: 'receipt.updated' } & ReceiptUpdatedToClient)
  /** Ends by itself after 6 s, even if no event says so. */
  | ({ type: 'typing' } & TypingToClient)
  | { type: 'presence.changed'; presence: Presence }
  | { type: 'user.updated'; user: User }

export type ConnectionEvent =
  /** The socket is live. Receipts, presence and users have no numbers: what was missed of them is read anew. */
  | { type: 'connected'; connection_id: string }
  /** The connection was lost; the client reconnects by itself. */
  | { type: 'disconnected' }

export type Event = MessageEvent | MemberEvent | ConversationEvent | PassingEvent | ConnectionEvent

/** How far a conversation is known. */
export interface Cursor {
  change_seq: number
  /** All messages up to this number were seen. */
  last_seq: number
}

export type Cursors = Readonly<Record<string, Cursor>>
