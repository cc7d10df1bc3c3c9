/**
 * What the client knows of the chat. Everything here is merged, never overwritten: of two states of a thing the newer
 * one (by `change_seq`, or the higher watermark) wins, so it does not matter in which order or how often changes arrive.
 */
import type {
  Conversation,
  File as StoredFile,
  Forward,
  Message,
  Presence,
  Role,
  ThreadSummary,
  User,
} from '../contracts.js'

/** How far the changes of a conversation are known: all up to `upTo`, and single ones beyond it. */
export interface Progress {
  upTo: number
  ahead: ReadonlySet<number>
}

export interface Watermarks {
  delivered_seq: number
  read_seq: number
}

/** A member as last known; `role` null: gone. */
export interface MemberState {
  user_id: string
  role: Role | null
  joined_at: string | null
  /** May only read until then; null: not muted. */
  muted_until: string | null
  change_seq: number
}

/** What a root message says of its replies, as of a change. */
export interface ThreadHead {
  thread: ThreadSummary | null
  change_seq: number
}

/** The messages from `from` to `to` are all there; an empty history is 1 to 0. */
export interface Range {
  from: number
  to: number
}

export interface Thread {
  /** The conversation as the server last sent it; null when only events of it arrived so far. */
  snapshot: Conversation | null
  /** Set when it is not ours any more: nothing up to this change counts. */
  removedAt: number | null
  messages: ReadonlyMap<number, Message>
  /** By root message: what came of its replies beside the message itself. */
  heads: Readonly<Record<string, ThreadHead>>
  /** The highest `seq` in `messages`. */
  top: number
  range: Range | null
  /** After a reset: what was loaded at or before this change is shown until the history is loaded anew. */
  staleAt: number | null
  members: Readonly<Record<string, MemberState>>
  membersLoaded: boolean
  /** How often receipts may have been missed, and up to which of these times the marks were read anew since. */
  marksMissed: number
  marksReadAt: number
  marks: Readonly<Record<string, Watermarks>>
  progress: Progress | null
}

export type SendingState = { state: 'queued' } | { state: 'sending' } | { state: 'failed'; reason: string }

/** A message of one's own on its way. */
export interface Outgoing {
  client_message_id: string
  conversation_id: string
  body: string
  reply_to: string | null
  /** The root of the thread that it goes to; null: the conversation itself. */
  thread_id: string | null
  also_in_conversation: boolean
  files: readonly StoredFile[]
  /** The message that it forwards, whose body and files it has. */
  forward: Forward | null
  created_at: string
  sending: SendingState
}

export interface ChatState {
  me: string
  users: Readonly<Record<string, User>>
  threads: Readonly<Record<string, Thread>>
  outgoing: Readonly<Record<string, readonly Outgoing[]>>
  /** By place (`placeOf`) and user: until when (in ms) they count as typing there. */
  typing: Readonly<Record<string, Readonly<Record<string, number>>>>
  presence: Readonly<Record<string, Presence>>
  /** Whether the list of conversations was loaded once. */
  listed: boolean
}

export const NO_THREAD: Thread = {
  snapshot: null,
  removedAt: null,
  messages: new Map(),
  heads: {},
  top: 0,
  range: null,
  staleAt: null,
  members: {},
  membersLoaded: false,
  marksMissed: 0,
  marksReadAt: 0,
  marks: {},
  progress: null,
}

export const emptyChat = (me: string): ChatState => ({
  me,
  users: {},
  threads: {},
  outgoing: {},
  typing: {},
  presence: {},
  listed: false,
})
