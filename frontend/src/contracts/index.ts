/* Generated from libs/contracts by `make contracts`. Do not edit. */

export type Role = 'owner' | 'admin' | 'member'

export type ErrorCode =
  | 'malformed'
  | 'bad_cursor'
  | 'unauthenticated'
  | 'token_expired'
  | 'invalid_credentials'
  | 'invalid_refresh_token'
  | 'forbidden'
  | 'wrong_password'
  | 'not_found'
  | 'method_not_allowed'
  | 'username_taken'
  | 'client_message_id_reused'
  | 'conflict'
  | 'too_large'
  | 'invalid'
  | 'rate_limited'
  | 'unavailable'
  | 'unknown_event'

export type PresenceStatus = 'online' | 'away' | 'dnd' | 'offline'
/**
 * Why a session ended, as `session:ended` says it.
 */
export type EndReason = 'logged_out' | 'revoked' | 'password_changed' | 'refresh_reused' | 'expired'

export interface Message {
  body: string
  change_seq: number
  client_message_id: string
  conversation_id: string
  created_at: string
  deleted_at: string | null
  edited_at: string | null
  id: string
  mentions: string[]
  reactions: {
    [k: string]: string[]
  }
  reply_to: string | null
  sender_id: string
  seq: number
}

export interface User {
  avatar_url: string | null
  display_name: string
  id: string
  username: string
}
/**
 * A conversation as the asker sees it.
 */
export interface Conversation {
  change_seq: number
  created_at: string
  id: string
  last_message: Message | null
  last_seq: number
  members_count: number
  peer: User | null
  read_seq: number
  role: Role
  title: string | null
  type: 'direct' | 'group'
  unread_count: number
  updated_at: string
}

export interface Device {
  created_at: string
  device_id: string
  platform: 'android' | 'ios' | 'web'
}

export interface ErrorDetail {
  code: ErrorCode
  details?: unknown
  message: string
  retry_after?: number | null
}
/**
 * What every refusal looks like, over REST and on sockets.
 */
export interface ErrorBody {
  error: ErrorDetail
}

export interface Member {
  delivered_seq: number
  joined_at: string
  read_seq: number
  role: Role
  user: User
}
/**
 * A member as `sync` tells it: as it is now, or gone (`role` null).
 */
export interface MemberChange {
  change_seq: number
  delivered_seq: number
  joined_at: string
  read_seq: number
  role: Role | null
  user: User
}

export interface NotificationSettings {
  level?: 'all' | 'mentions' | 'none'
  muted_until?: string | null
}

export interface Presence {
  custom_status: string | null
  last_seen_at: string | null
  status: PresenceStatus
  user_id: string
}
/**
 * The `data` of a push; strings, as FCM wants them.
 */
export interface PushData {
  badge: string
  conversation_id: string
  message_id: string
  seq: string
  type: 'message' | 'retract'
}
/**
 * Has this member got, and read, one message.
 */
export interface Receipt {
  delivered: boolean
  read: boolean
  user_id: string
}

export interface SearchHit {
  highlight: string
  message: Message
}

export interface Session {
  created_at: string
  current: boolean
  device_name: string | null
  last_used_at: string
  session_id: string
}
/**
 * What changed in one conversation after the asked cursor. Exactly one of the three forms of the interface.
 */
export interface SyncState {
  change_seq?: number | null
  conversation?: Conversation | null
  members?: MemberChange[] | null
  messages?: Message[] | null
  more?: boolean | null
  removed?: true | null
  reset?: true | null
}

export interface SyncAnswer {
  conversations: {
    [k: string]: SyncState
  }
}

export interface Tokens {
  access_token: string
  expires_in: number
  refresh_token: string
  session_id: string
  token_type?: 'Bearer'
  user: User
}

export interface ConversationNew {
  change_seq: number
  created_at: string
  id: string
  last_message: Message | null
  last_seq: number
  members_count: number
  peer: User | null
  read_seq: number
  role: Role
  title: string | null
  type: 'direct' | 'group'
  unread_count: number
  updated_at: string
}

export interface ConversationRemoved {
  id: string
}

export interface ConversationUpdated {
  change_seq: number
  created_at: string
  id: string
  last_message: Message | null
  last_seq: number
  members_count: number
  peer: User | null
  read_seq: number
  role: Role
  title: string | null
  type: 'direct' | 'group'
  unread_count: number
  updated_at: string
}

export interface MemberChanged {
  change_seq: number
  conversation_id: string
  role: Role | null
  user_id: string
}

export interface MessageDeleted {
  body: string
  change_seq: number
  client_message_id: string
  conversation_id: string
  created_at: string
  deleted_at: string | null
  edited_at: string | null
  id: string
  mentions: string[]
  reactions: {
    [k: string]: string[]
  }
  reply_to: string | null
  sender_id: string
  seq: number
}

export interface MessageNew {
  body: string
  change_seq: number
  client_message_id: string
  conversation_id: string
  created_at: string
  deleted_at: string | null
  edited_at: string | null
  id: string
  mentions: string[]
  reactions: {
    [k: string]: string[]
  }
  reply_to: string | null
  sender_id: string
  seq: number
}

export interface MessageUpdated {
  body: string
  change_seq: number
  client_message_id: string
  conversation_id: string
  created_at: string
  deleted_at: string | null
  edited_at: string | null
  id: string
  mentions: string[]
  reactions: {
    [k: string]: string[]
  }
  reply_to: string | null
  sender_id: string
  seq: number
}

export interface PresenceChanged {
  custom_status: string | null
  last_seen_at: string | null
  status: PresenceStatus
  user_id: string
}

export interface ReadyConversation {
  change_seq: number
  id: string
  last_seq: number
}

export interface Ready {
  connection_id: string
  conversations: ReadyConversation[]
  more: boolean
  server_time: string
  session_id: string
  user_id: string
}

export interface ReceiptUpdated {
  conversation_id: string
  delivered_seq: number
  read_seq: number
  user_id: string
}

export interface ServerDraining {
  reconnect_in_ms: number
}

export interface SessionEnded {
  reason: EndReason
}

export interface SessionExpiring {
  expires_at: string
}

export interface SyncRequired {
  conversation_ids: string[] | null
}

export interface Typing {
  active: boolean
  conversation_id: string
  user_id: string
}

export interface AuthRefresh {
  token: string
}

export interface MessageDelete {
  conversation_id: string
  message_id: string
}

export interface MessageEdit {
  body: string
  conversation_id: string
  message_id: string
}

export interface MessageSend {
  body: string
  client_message_id: string
  conversation_id: string
  reply_to?: string | null
}
/**
 * Fields that are left out stay as they are; `custom_status: null` clears it.
 */
export interface PresenceSet {
  custom_status?: string | null
  last_seen_visible?: boolean | null
  status?: ('online' | 'away' | 'dnd' | 'invisible') | null
}

export interface PresenceSubscribe {
  /**
   * @maxItems 200
   */
  user_ids: string[]
}

export interface PresenceUnsubscribe {
  /**
   * @maxItems 200
   */
  user_ids: string[]
}

export interface ReactionAdd {
  conversation_id: string
  emoji: string
  message_id: string
}

export interface ReactionRemove {
  conversation_id: string
  emoji: string
  message_id: string
}

export interface ReceiptDelivered {
  conversation_id: string
  seq: number
}

export interface ReceiptRead {
  conversation_id: string
  seq: number
}

export interface Sync {
  cursors: {
    [k: string]: number
  }
}

export interface TypingStart {
  conversation_id: string
}

export interface TypingStop {
  conversation_id: string
}

/** What the server emits: the name of each event and its payload. */
export interface ToClientEvents {
  'conversation:new': ConversationNew
  'conversation:removed': ConversationRemoved
  'conversation:updated': ConversationUpdated
  'member:changed': MemberChanged
  'message:deleted': MessageDeleted
  'message:new': MessageNew
  'message:updated': MessageUpdated
  'presence:changed': PresenceChanged
  ready: Ready
  'receipt:updated': ReceiptUpdated
  'server:draining': ServerDraining
  'session:ended': SessionEnded
  'session:expiring': SessionExpiring
  'sync:required': SyncRequired
  typing: Typing
}

/** What a client emits: the name of each event and its payload. */
export interface ToServerEvents {
  'auth:refresh': AuthRefresh
  'message:delete': MessageDelete
  'message:edit': MessageEdit
  'message:send': MessageSend
  'presence:set': PresenceSet
  'presence:subscribe': PresenceSubscribe
  'presence:unsubscribe': PresenceUnsubscribe
  'reaction:add': ReactionAdd
  'reaction:remove': ReactionRemove
  'receipt:delivered': ReceiptDelivered
  'receipt:read': ReceiptRead
  sync: Sync
  'typing:start': TypingStart
  'typing:stop': TypingStop
}
