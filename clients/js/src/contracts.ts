/* Generated from libs/contracts by `make contracts`. Do not edit. */

export type FileState = 'pending' | 'ready' | 'refused'

export type Role = 'owner' | 'admin' | 'moderator' | 'member'

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
  | 'gone'
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

export type JsonValue = unknown

export interface GlobalNotificationSettings {
  content?: 'full' | 'sender' | 'none'
  level?: 'all' | 'mentions' | 'none'
  quiet_hours?: QuietHours | null
}
/**
 * Every day from `from` until before `to`, on the clocks of the time zone; it may pass midnight.
 */
export interface QuietHours {
  from: string
  time_zone: string
  to: string
}

export interface NotificationSettings {
  level?: 'all' | 'mentions' | 'none'
  muted_until?: string | null
}

export interface AllNotificationSettings {
  conversations: {
    [k: string]: NotificationSettings
  }
  settings: GlobalNotificationSettings
}
/**
 * A file that a user has uploaded. Its type is what its bytes say, once it is ready.
 */
export interface File {
  blurhash: string | null
  content_type: string
  created_at: string
  duration_s: number | null
  has_thumbnail: boolean
  height: number | null
  id: string
  name: string
  size: number
  state: FileState
  url: string | null
  width: number | null
}
/**
 * Where a forwarded message is from; nulls where that is not for every reader to see.
 */
export interface ForwardedFrom {
  conversation_id: string | null
  message_id: string | null
  sender_id: string | null
}
/**
 * What the page behind a link of a message says of itself, as plain text.
 */
export interface LinkPreview {
  description: string
  image_url: string | null
  title: string
  url: string
}

export interface Message {
  also_in_conversation?: boolean
  body: string
  change_seq: number
  client_message_id: string
  conversation_id: string
  created_at: string
  deleted_at: string | null
  edited_at: string | null
  files?: File[]
  forwarded_from?: ForwardedFrom | null
  id: string
  interrupted?: boolean
  mention_all?: boolean
  mentions: string[]
  metadata?: {
    [k: string]: unknown
  }
  pinned_at?: string | null
  pinned_by?: string | null
  previews?: LinkPreview[]
  reaction_counts?: {
    [k: string]: number
  }
  reactions: {
    [k: string]: string[]
  }
  reply_to: string | null
  sender_id: string
  seq: number
  streaming?: boolean
  system?: {
    [k: string]: unknown
  } | null
  thread?: ThreadSummary | null
  thread_id?: string | null
}
/**
 * What a root message says of the replies in its thread that are not deleted.
 */
export interface ThreadSummary {
  last_reply_at: string
  last_seq: number
  participant_ids: string[]
  reply_count: number
}
/**
 * What a conversation is to one member alone.
 */
export interface OwnState {
  first_unread_seq?: number | null
  hidden_at?: string | null
  marked_unread_at?: string | null
  mention_count?: number
  pinned_at?: string | null
}

export interface User {
  avatar_url: string | null
  display_name: string
  id: string
  is_bot?: boolean
  is_guest?: boolean
  metadata?: {
    [k: string]: unknown
  }
  username: string
}
/**
 * A conversation as the caller sees it.
 */
export interface Conversation {
  archived_at?: string | null
  avatar_url?: string | null
  change_seq: number
  created_at: string
  description?: string
  history?: 'all' | 'since_joined'
  id: string
  last_message: Message | null
  last_seq: number
  me?: OwnState1
  members_count: number
  metadata?: {
    [k: string]: unknown
  }
  peer: User | null
  pins_count?: number
  posting?: 'everyone' | 'admins'
  read_seq: number
  role: Role
  slow_mode_s?: number
  system_messages?: boolean
  title: string | null
  type: 'direct' | 'group'
  unread_count: number
  updated_at: string
  visibility?: 'private' | 'public'
}
/**
 * What a conversation is to one member alone.
 */
export interface OwnState1 {
  first_unread_seq?: number | null
  hidden_at?: string | null
  marked_unread_at?: string | null
  mention_count?: number
  pinned_at?: string | null
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

export interface FeedEvent {
  created_at: string
  data: {
    [k: string]: unknown
  }
  id: string
  type: string
}
/**
 * A conversation as the events for host apps have it: nothing of what is said in it.
 */
export interface HostConversation {
  created_at: string
  external_id: string | null
  id: string
  metadata: {
    [k: string]: unknown
  }
  title: string | null
  type: 'direct' | 'group'
  updated_at: string
}

export interface Member {
  delivered_seq: number
  joined_at: string
  muted_until?: string | null
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
  muted_until?: string | null
  read_seq: number
  role: Role | null
  user: User
}

export interface MentionHit {
  conversation_id: string
  message: Message
}

export interface Presence {
  custom_status: string | null
  last_seen_at: string | null
  status: PresenceStatus
  status_emoji?: string | null
  status_expires_at?: string | null
  user_id: string
}
/**
 * The `data` of a push; strings, as FCM wants them.
 */
export interface PushData {
  badge: string
  conversation_id: string
  message_id: string
  sender_name?: string
  seq: string
  text?: string
  thread_id?: string
  title?: string
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
/**
 * An earlier text of a message.
 */
export interface Revision {
  body: string
  edited_at: string
}

export interface SearchHit {
  highlight: string
  message: Message
  ranges?: number[][]
}
/**
 * A user as server keys see it.
 */
export interface ServerUser {
  avatar_url: string | null
  deactivated_at: string | null
  display_name: string
  erased_at: string | null
  external_id: string | null
  id: string
  is_bot?: boolean
  is_guest?: boolean
  metadata?: {
    [k: string]: unknown
  }
  private_metadata: {
    [k: string]: unknown
  }
  username: string
}
/**
 * A conversation as server keys see it, who are nobody in it.
 */
export interface ServerConversation {
  archived_at?: string | null
  avatar_url?: string | null
  change_seq: number
  created_at: string
  description?: string
  external_id: string | null
  history?: 'all' | 'since_joined'
  id: string
  last_message: Message | null
  last_seq: number
  me?: null
  members: ServerUser[] | null
  members_count: number
  metadata?: {
    [k: string]: unknown
  }
  peer?: null
  pins_count?: number
  posting?: 'everyone' | 'admins'
  read_seq?: 0
  role?: null
  slow_mode_s?: number
  system_messages?: boolean
  title: string | null
  type: 'direct' | 'group'
  unread_count?: 0
  updated_at: string
  visibility?: 'private' | 'public'
}
/**
 * A member as server keys see it.
 */
export interface ServerMember {
  delivered_seq: number
  joined_at: string
  muted_until?: string | null
  read_seq: number
  role: Role
  user: ServerUser
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
/**
 * A thread as one user sees it.
 */
export interface Thread {
  conversation_id: string
  following: boolean
  mention_count: number
  read_seq: number
  root: Message
  unread_count: number
}

export interface Tokens {
  access_token: string
  expires_in: number
  refresh_token: string
  session_id: string
  token_type?: 'Bearer'
  user: User
}
/**
 * A change of a message that does not exist for the user: the number is passed over.
 */
export interface ChangeHiddenToClient {
  change_seq: number
  conversation_id: string
}

export interface ConversationNewToClient {
  archived_at?: string | null
  avatar_url?: string | null
  change_seq: number
  created_at: string
  description?: string
  history?: 'all' | 'since_joined'
  id: string
  last_message: Message | null
  last_seq: number
  me?: OwnState2
  members_count: number
  metadata?: {
    [k: string]: unknown
  }
  peer: User | null
  pins_count?: number
  posting?: 'everyone' | 'admins'
  read_seq: number
  role: Role
  slow_mode_s?: number
  system_messages?: boolean
  title: string | null
  type: 'direct' | 'group'
  unread_count: number
  updated_at: string
  visibility?: 'private' | 'public'
}
/**
 * What a conversation is to one member alone.
 */
export interface OwnState2 {
  first_unread_seq?: number | null
  hidden_at?: string | null
  marked_unread_at?: string | null
  mention_count?: number
  pinned_at?: string | null
}

export interface ConversationRemovedToClient {
  id: string
}

export interface ConversationUpdatedToClient {
  archived_at?: string | null
  avatar_url?: string | null
  change_seq: number
  created_at: string
  description?: string
  history?: 'all' | 'since_joined'
  id: string
  last_message: Message | null
  last_seq: number
  me?: OwnState3
  members_count: number
  metadata?: {
    [k: string]: unknown
  }
  peer: User | null
  pins_count?: number
  posting?: 'everyone' | 'admins'
  read_seq: number
  role: Role
  slow_mode_s?: number
  system_messages?: boolean
  title: string | null
  type: 'direct' | 'group'
  unread_count: number
  updated_at: string
  visibility?: 'private' | 'public'
}
/**
 * What a conversation is to one member alone.
 */
export interface OwnState3 {
  first_unread_seq?: number | null
  hidden_at?: string | null
  marked_unread_at?: string | null
  mention_count?: number
  pinned_at?: string | null
}

export interface MemberChangedToClient {
  change_seq: number
  conversation_id: string
  muted_until?: string | null
  role: Role | null
  user_id: string
}

export interface MessageDeletedToClient {
  also_in_conversation?: boolean
  body: string
  change_seq: number
  client_message_id: string
  conversation_id: string
  created_at: string
  deleted_at: string | null
  edited_at: string | null
  files?: File[]
  forwarded_from?: ForwardedFrom | null
  id: string
  interrupted?: boolean
  mention_all?: boolean
  mentions: string[]
  metadata?: {
    [k: string]: unknown
  }
  pinned_at?: string | null
  pinned_by?: string | null
  previews?: LinkPreview[]
  reaction_counts?: {
    [k: string]: number
  }
  reactions: {
    [k: string]: string[]
  }
  reply_to: string | null
  sender_id: string
  seq: number
  streaming?: boolean
  system?: {
    [k: string]: unknown
  } | null
  thread?: ThreadSummary | null
  thread_id?: string | null
}
/**
 * More of a streamed message's text; not part of the conversation's order.
 */
export interface MessageDeltaToClient {
  at: number
  conversation_id: string
  message_id: string
  text: string
}
/**
 * What a host app says to whoever is there. It is stored nowhere, has no number, and may come again.
 */
export interface MessageEphemeralToClient {
  body: string
  client_message_id: string
  conversation_id: string
  created_at: string
  id: string
  metadata?: {
    [k: string]: unknown
  }
  sender_id: string
}

export interface MessageNewToClient {
  also_in_conversation?: boolean
  body: string
  change_seq: number
  client_message_id: string
  conversation_id: string
  created_at: string
  deleted_at: string | null
  edited_at: string | null
  files?: File[]
  forwarded_from?: ForwardedFrom | null
  id: string
  interrupted?: boolean
  mention_all?: boolean
  mentions: string[]
  metadata?: {
    [k: string]: unknown
  }
  pinned_at?: string | null
  pinned_by?: string | null
  previews?: LinkPreview[]
  reaction_counts?: {
    [k: string]: number
  }
  reactions: {
    [k: string]: string[]
  }
  reply_to: string | null
  sender_id: string
  seq: number
  streaming?: boolean
  system?: {
    [k: string]: unknown
  } | null
  thread?: ThreadSummary | null
  thread_id?: string | null
}

export interface MessageUpdatedToClient {
  also_in_conversation?: boolean
  body: string
  change_seq: number
  client_message_id: string
  conversation_id: string
  created_at: string
  deleted_at: string | null
  edited_at: string | null
  files?: File[]
  forwarded_from?: ForwardedFrom | null
  id: string
  interrupted?: boolean
  mention_all?: boolean
  mentions: string[]
  metadata?: {
    [k: string]: unknown
  }
  pinned_at?: string | null
  pinned_by?: string | null
  previews?: LinkPreview[]
  reaction_counts?: {
    [k: string]: number
  }
  reactions: {
    [k: string]: string[]
  }
  reply_to: string | null
  sender_id: string
  seq: number
  streaming?: boolean
  system?: {
    [k: string]: unknown
  } | null
  thread?: ThreadSummary | null
  thread_id?: string | null
}

export interface PresenceChangedToClient {
  custom_status: string | null
  last_seen_at: string | null
  status: PresenceStatus
  status_emoji?: string | null
  status_expires_at?: string | null
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
/**
 * What a root message says of its thread now. Not in the conversation's order: `sync` has the message itself.
 */
export interface ThreadChangedToClient {
  change_seq: number
  conversation_id: string
  thread: ThreadSummary | null
  thread_id: string
}
/**
 * A thread as the user sees it, to their own sockets alone.
 */
export interface ThreadUpdatedToClient {
  conversation_id: string
  following: boolean
  mention_count: number
  read_seq: number
  thread_id: string
  unread_count: number
}

export interface TypingToClient {
  active: boolean
  conversation_id: string
  thread_id?: string | null
  user_id: string
}
/**
 * A changed name or picture, to oneself and to those who share a conversation.
 */
export interface UserUpdatedToClient {
  avatar_url: string | null
  display_name: string
  id: string
  is_bot?: boolean
  is_guest?: boolean
  metadata?: {
    [k: string]: unknown
  }
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
/**
 * Which message to forward.
 */
export interface Forward {
  conversation_id: string
  message_id: string
}

export interface MessageSendToServer {
  also_in_conversation?: boolean
  body?: string
  client_message_id: string
  conversation_id: string
  /**
   * @maxItems 10
   */
  file_ids?: string[]
  forward?: Forward | null
  metadata?: {
    [k: string]: JsonValue
  }
  reply_to?: string | null
  thread_id?: string | null
}

export interface MessageStreamAppendToServer {
  at: number
  conversation_id: string
  message_id: string
  text: string
}

export interface MessageStreamEndToServer {
  body?: string | null
  conversation_id: string
  message_id: string
}

export interface MessageStreamStartToServer {
  body?: string
  client_message_id: string
  conversation_id: string
  thread_id?: string | null
}
/**
 * A status text with an emoji and an end. Without text and emoji, and at or after its end, it is none.
 */
export interface CustomStatus {
  emoji?: string | null
  expires_at?: string | null
  text?: string | null
}

export interface PresenceSetToServer {
  custom_status?: (string | CustomStatus) | null
  last_seen_visible?: boolean | ('everyone' | 'contacts' | 'nobody') | null
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

export interface ThreadReadToServer {
  conversation_id: string
  seq: number
  thread_id: string
}

export interface TypingStartToServer {
  conversation_id: string
  thread_id?: string | null
}

export interface TypingStopToServer {
  conversation_id: string
}

/** What the server emits: the name of each event and its payload. */
export interface ToClientEvents {
  'change:hidden': ChangeHiddenToClient
  'conversation:new': ConversationNewToClient
  'conversation:removed': ConversationRemovedToClient
  'conversation:updated': ConversationUpdatedToClient
  'member:changed': MemberChangedToClient
  'message:deleted': MessageDeletedToClient
  'message:delta': MessageDeltaToClient
  'message:ephemeral': MessageEphemeralToClient
  'message:new': MessageNewToClient
  'message:updated': MessageUpdatedToClient
  'presence:changed': PresenceChangedToClient
  ready: ReadyToClient
  'receipt:updated': ReceiptUpdatedToClient
  'server:draining': ServerDrainingToClient
  'session:ended': SessionEndedToClient
  'session:expiring': SessionExpiringToClient
  'sync:required': SyncRequiredToClient
  'thread:changed': ThreadChangedToClient
  'thread:updated': ThreadUpdatedToClient
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
  'message:stream:append': MessageStreamAppendToServer
  'message:stream:end': MessageStreamEndToServer
  'message:stream:start': MessageStreamStartToServer
  'presence:set': PresenceSetToServer
  'presence:subscribe': PresenceSubscribeToServer
  'presence:unsubscribe': PresenceUnsubscribeToServer
  'reaction:add': ReactionAddToServer
  'reaction:remove': ReactionRemoveToServer
  'receipt:delivered': ReceiptDeliveredToServer
  'receipt:read': ReceiptReadToServer
  receipts: ReceiptsToServer
  sync: SyncToServer
  'thread:read': ThreadReadToServer
  'typing:start': TypingStartToServer
  'typing:stop': TypingStopToServer
}
