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
 * The reason why a session ended, as sent in `session:ended`.
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
  reaction_counts?: {
    [k: string]: number
  }
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
 * A conversation as the caller sees it.
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
 * The error of a REST response or a socket ack.
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
 * A member in `sync`: the current state, or a removed member (`role` null).
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
 * The state of one message for one member: received, read.
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
 * The changes of one conversation after the given cursor, in exactly one of three forms.
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

export interface ConversationNewToClient {
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

export interface ConversationRemovedToClient {
  id: string
}

export interface ConversationUpdatedToClient {
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

export interface MemberChangedToClient {
  change_seq: number
  conversation_id: string
  role: Role | null
  user_id: string
}

export interface MessageDeletedToClient {
  body: string
  change_seq: number
  client_message_id: string
  conversation_id: string
  created_at: string
  deleted_at: string | null
  edited_at: string | null
  id: string
  mentions: string[]
  reaction_counts?: {
    [k: string]: number
  }
  reactions: {
    [k: string]: string[]
  }
  reply_to: string | null
  sender_id: string
  seq: number
}

export interface MessageNewToClient {
  body: string
  change_seq: number
  client_message_id: string
  conversation_id: string
  created_at: string
  deleted_at: string | null
  edited_at: string | null
  id: string
  mentions: string[]
  reaction_counts?: {
    [k: string]: number
  }
  reactions: {
    [k: string]: string[]
  }
  reply_to: string | null
  sender_id: string
  seq: number
}

export interface MessageUpdatedToClient {
  body: string
  change_seq: number
  client_message_id: string
  conversation_id: string
  created_at: string
  deleted_at: string | null
  edited_at: string | null
  id: string
  mentions: string[]
  reaction_counts?: {
    [k: string]: number
  }
  reactions: {
    [k: string]: string[]
  }
  reply_to: string | null
  sender_id: string
  seq: number
}

export interface PresenceChangedToClient {
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

export interface ReadyToClient {
  connection_id: string
  conversations: ReadyConversation[]
  more: boolean
  server_time: string
  session_id: string
  user_id: string
}

export interface ReceiptUpdatedToClient {
  conversation_id: string
  delivered_seq: number
  read_seq: number
  user_id: string
}

export interface ServerDrainingToClient {
  reconnect_in_ms: number
}

export interface SessionEndedToClient {
  reason: EndReason
}

export interface SessionExpiringToClient {
  expires_at: string
}

export interface SyncRequiredToClient {
  conversation_ids: string[] | null
}

export interface TypingToClient {
  active: boolean
  conversation_id: string
  user_id: string
}
/**
 * A changed name or picture, to oneself and to those who share a conversation.
 */
export interface UserUpdatedToClient {
  avatar_url: string | null
  display_name: string
  id: string
  username: string
}
/**
 * Reports whether this client is in use now. A new socket is active; idle on all devices is shown as `away`.
 */
export interface ActivityToServer {
  active: boolean
}

export interface AuthRefreshToServer {
  token: string
}

export interface MessageDeleteToServer {
  conversation_id: string
  message_id: string
}

export interface MessageEditToServer {
  body: string
  conversation_id: string
  message_id: string
}

export interface MessageSendToServer {
  body: string
  client_message_id: string
  conversation_id: string
  reply_to?: string | null
}

export interface PresenceSetToServer {
  custom_status?: string | null
  last_seen_visible?: boolean | null
  status?: ('online' | 'away' | 'dnd' | 'invisible') | null
}

export interface PresenceSubscribeToServer {
  /**
   * @maxItems 200
   */
  user_ids: string[]
}

export interface PresenceUnsubscribeToServer {
  /**
   * @maxItems 200
   */
  user_ids: string[]
}

export interface ReactionAddToServer {
  conversation_id: string
  emoji: string
  message_id: string
}

export interface ReactionRemoveToServer {
  conversation_id: string
  emoji: string
  message_id: string
}

export interface ReceiptDeliveredToServer {
  conversation_id: string
  seq: number
}

export interface ReceiptReadToServer {
  conversation_id: string
  seq: number
}
/**
 * Many watermarks at once, as a client reports them after connecting: `{conversation_id: seq}`.
 *
 * Its ack is `{ok, failed: {conversation_id: error}}`, with the error body's `error` of each that was refused.
 */
export interface ReceiptsToServer {
  delivered?: {
    [k: string]: number
  }
  read?: {
    [k: string]: number
  }
}

export interface SyncToServer {
  cursors: {
    [k: string]: number
  }
}

export interface TypingStartToServer {
  conversation_id: string
}

export interface TypingStopToServer {
  conversation_id: string
}

/** What the server emits: the name of each event and its payload. */
export interface ToClientEvents {
  'conversation:new': ConversationNewToClient
  'conversation:removed': ConversationRemovedToClient
  'conversation:updated': ConversationUpdatedToClient
  'member:changed': MemberChangedToClient
  'message:deleted': MessageDeletedToClient
  'message:new': MessageNewToClient
  'message:updated': MessageUpdatedToClient
  'presence:changed': PresenceChangedToClient
  ready: ReadyToClient
  'receipt:updated': ReceiptUpdatedToClient
  'server:draining': ServerDrainingToClient
  'session:ended': SessionEndedToClient
  'session:expiring': SessionExpiringToClient
  'sync:required': SyncRequiredToClient
  typing: TypingToClient
  'user:updated': UserUpdatedToClient
}

/** What a client emits: the name of each event and its payload. */
export interface ToServerEvents {
  activity: ActivityToServer
  'auth:refresh': AuthRefreshToServer
  'message:delete': MessageDeleteToServer
  'message:edit': MessageEditToServer
  'message:send': MessageSendToServer
  'presence:set': PresenceSetToServer
  'presence:subscribe': PresenceSubscribeToServer
  'presence:unsubscribe': PresenceUnsubscribeToServer
  'reaction:add': ReactionAddToServer
  'reaction:remove': ReactionRemoveToServer
  'receipt:delivered': ReceiptDeliveredToServer
  'receipt:read': ReceiptReadToServer
  receipts: ReceiptsToServer
  sync: SyncToServer
  'typing:start': TypingStartToServer
  'typing:stop': TypingStopToServer
}
