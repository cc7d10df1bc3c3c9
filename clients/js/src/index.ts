/**
 * A client of SyncTalk: `Client` is one user or bot, live. A backend with a server key has `Server`, in
 * `@synctalk/client/server`.
 */
export { Client, type ClientOptions, type SendOptions, type StreamOptions } from './client/client.js'
export type {
  ConnectionEvent,
  ConversationEvent,
  Cursor,
  Cursors,
  Event,
  MemberEvent,
  MessageEvent,
  PassingEvent,
} from './client/events.js'
export type { OnRefused, OutboxStore, OutgoingMessage } from './client/outbox.js'
export type {
  CallOptions,
  GroupChange,
  GroupOptions,
  MessageOptions,
  Metadata,
  NewMessage,
  PageOptions,
  PresenceChange,
  RestApi,
  SearchOptions,
} from './client/rest.js'
export type { Call, Query } from './client/http.js'
export {
  bot,
  exchange,
  guest,
  password,
  register,
  resume,
  type OnTokens,
  type SignIn,
} from './client/signIn.js'
export type { TextStream } from './client/textStream.js'
export type {
  Conversation,
  File,
  Member,
  MentionHit,
  Message,
  Presence,
  Receipt,
  Role,
  SearchHit,
  Session,
  SyncState,
  Tokens,
  User,
} from './contracts.js'
export { CallError, hasCode, isPassing, SessionEndedError, type FailureCode } from './errors.js'
