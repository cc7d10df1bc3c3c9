import type {
  Conversation,
  Member,
  MemberChange,
  Message,
  Presence,
  Role,
  ThreadSummary,
  User,
} from '../../contracts.js'
import type { Outgoing } from '../state.js'

/** Everything that can change what the client knows, by its name. */
export type Change =
  /** `live`: the event of this very change, so that the change counts as seen. */
  | { type: 'conversation'; conversation: Conversation; live?: true }
  | { type: 'removed'; conversation_id: string; change_seq: number | null }
  | { type: 'message'; message: Message }
  /** What a root message says of its replies now. */
  | {
      type: 'head'
      conversation_id: string
      thread_id: string
      thread: ThreadSummary | null
      change_seq: number
    }
  /** More of a streamed message's text, from the code point `at` on. */
  | { type: 'delta'; conversation_id: string; seq: number; at: number; text: string }
  /** A page of history, ascending and without a gap. `extend` joins what is loaded, `replace` takes its place. */
  | { type: 'history'; conversation_id: string; messages: readonly Message[]; mode: 'extend' | 'replace' }
  | {
      type: 'member'
      conversation_id: string
      user_id: string
      role: Role | null
      muted_until?: string | null
      change_seq: number
    }
  /**
   * A page of the member list. `asOf` is how far the changes were known when it was requested. `complete` comes with the
   * last page: all receipts that `marksMissed` counted at the time of the request are known now.
   */
  | {
      type: 'members'
      conversation_id: string
      members: readonly Member[]
      asOf: number
      complete: { marksMissed: number } | null
    }
  | {
      type: 'synced'
      conversation_id: string
      messages: readonly Message[]
      members: readonly MemberChange[]
      change_seq: number
    }
  | { type: 'reset'; conversation_id: string; change_seq: number }
  | { type: 'receipt'; conversation_id: string; user_id: string; delivered_seq: number; read_seq: number }
  /** Receipts have no `change_seq`: after a reconnect, and in a conversation just joined, some may be missing. */
  | { type: 'receipts_missed'; conversation_ids: readonly string[] }
  | {
      type: 'typing'
      conversation_id: string
      /** Null: in the conversation itself. */
      thread_id: string | null
      user_id: string
      until: number | null
    }
  | { type: 'clock'; now: number }
  | { type: 'presence'; presence: Presence }
  | { type: 'users'; users: readonly User[] }
  | { type: 'outgoing'; item: Outgoing }
  | { type: 'withdrawn'; conversation_id: string; client_message_id: string }
  | { type: 'listed' }

export type ChangeOf<T extends Change['type']> = Extract<Change, { type: T }>
