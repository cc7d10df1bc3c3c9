/**
 * The REST interface, one method for each call.
 *
 * Calls that change nothing when they are repeated are repeated while the server cannot answer, for `GIVE_UP_AFTER_MS`
 * at most. A refused token is renewed once.
 */
import type {
  Conversation,
  File as StoredFile,
  Member,
  MentionHit,
  Message,
  Presence,
  Receipt,
  Role,
  SearchHit,
  Session,
  SyncAnswer,
  SyncState,
  User,
} from '../contracts.js'
import { CallError, hasCode } from '../errors.js'
import type { Page, TokenSource } from '../http.js'
import { freshId } from '../ids.js'
import type { Call, Http, Query } from './http.js'
import { retrying } from './retrying.js'

const GIVE_UP_AFTER_MS = 30_000
/** Looking at a large file takes the server a while. */
const COMPLETE_TIMEOUT_MS = 60_000
const PAGE = 100

export type Metadata = Readonly<Record<string, unknown>>

export interface MessageOptions {
  replyTo?: string | undefined
  threadId?: string | undefined
  metadata?: Metadata | undefined
  /** Ids of uploaded files. */
  fileIds?: readonly string[] | undefined
  /** A repeat with the same one is the same message. */
  clientMessageId?: string | undefined
}

/** What is sent of a message. */
export interface NewMessage {
  client_message_id: string
  body: string
  reply_to?: string
  thread_id?: string
  metadata?: Metadata
  file_ids?: string[]
}

export interface GroupOptions {
  /** Say what happens in the group in messages of its own. */
  systemMessages?: boolean
}

/** Where a page of messages is; without any it is the newest. Only one may be given. */
export interface PageOptions {
  beforeSeq?: number
  afterSeq?: number
  aroundSeq?: number
  /** The id of a message. */
  around?: string
  at?: Date
  limit?: number
}

export interface SearchOptions {
  conversationId?: string
  senderId?: string
  mentionsMe?: boolean
  has?: readonly ('file' | 'link' | 'reaction' | 'pin')[]
  before?: Date
  after?: Date
}

export type GroupChange = Partial<
  Pick<Conversation, 'title' | 'description' | 'avatar_url' | 'visibility' | 'posting' | 'slow_mode_s'>
>

export interface PresenceChange {
  status?: Presence['status']
  custom_status?: string | null
  last_seen_visible?: 'everyone' | 'contacts' | 'nobody'
}

export interface CallOptions {
  /** Whether a repeat changes nothing; by default what is no POST. */
  repeatable?: boolean
}

/** Calls as one user; made by `Client.rest` and `Server.actingAs`. */
export class RestApi {
  constructor(
    private readonly http: Http,
    private readonly token: TokenSource,
    private readonly signal?: AbortSignal,
    private readonly headers: Readonly<Record<string, string>> = {},
  ) {}

  // Users

  me(): Promise<User> {
    return this.call({ path: '/v1/users/me' })
  }

  updateMe(change: { display_name?: string; avatar_url?: string | null }): Promise<User> {
    return this.call({ method: 'PATCH', path: '/v1/users/me', json: change })
  }

  user(userId: string): Promise<User> {
    return this.call({ path: `/v1/users/${quoted(userId)}` })
  }

  /** Return those of the ids (100 at most) that exist. */
  async users(userIds: readonly string[]): Promise<User[]> {
    return (await this.call<Page<User>>({ path: '/v1/users', query: { ids: userIds.join(',') } })).items
  }

  searchUsers(search: string): AsyncGenerator<User> {
    return this.items('/v1/users', { search, limit: PAGE })
  }

  // Conversations and members

  /** Return the direct conversation with a user, a new one if there is none. */
  createDirect(userId: string): Promise<Conversation> {
    const json = { type: 'direct', member_ids: [userId] }
    return this.call({ method: 'POST', path: '/v1/conversations', json }, { repeatable: true })
  }

  createGroup(
    title: string,
    memberIds: readonly string[] = [],
    { systemMessages = false }: GroupOptions = {},
  ): Promise<Conversation> {
    const json = { type: 'group', title, member_ids: memberIds, system_messages: systemMessages }
    return this.call({ method: 'POST', path: '/v1/conversations', json })
  }

  conversation(conversationId: string): Promise<Conversation> {
    return this.call({ path: conversationPath(conversationId) })
  }

  /** Yield all of the user's conversations, newest activity first. */
  conversations(): AsyncGenerator<Conversation> {
    return this.items('/v1/conversations', { limit: PAGE })
  }

  updateGroup(conversationId: string, change: GroupChange): Promise<Conversation> {
    return this.call({ method: 'PATCH', path: conversationPath(conversationId), json: change })
  }

  /** Mark a conversation unread for oneself, until the next read. */
  markUnread(conversationId: string): Promise<Conversation> {
    const path = `${conversationPath(conversationId)}/me`
    return this.call({ method: 'PATCH', path, json: { unread: true } })
  }

  members(conversationId: string): AsyncGenerator<Member> {
    return this.items(`${conversationPath(conversationId)}/members`, { limit: PAGE })
  }

  async addMembers(conversationId: string, userIds: readonly string[]): Promise<Member[]> {
    const path = `${conversationPath(conversationId)}/members`
    const call: Call = { method: 'POST', path, json: { user_ids: userIds } }
    return (await this.call<Page<Member>>(call, { repeatable: true })).items
  }

  setRole(conversationId: string, userId: string, role: Role): Promise<Member> {
    return this.call({ method: 'PATCH', path: memberPath(conversationId, userId), json: { role } })
  }

  /** Remove a member; one's own id leaves the conversation. */
  removeMember(conversationId: string, userId: string): Promise<void> {
    return this.call({ method: 'DELETE', path: memberPath(conversationId, userId) })
  }

  // Messages

  /** Return one page, ascending. */
  async messages(conversationId: string, options: PageOptions = {}): Promise<Message[]> {
    const { beforeSeq, afterSeq, aroundSeq, around, at, limit = PAGE } = options
    const bounds = { before_seq: beforeSeq, after_seq: afterSeq, around_seq: aroundSeq, around }
    const query = { ...bounds, at: at?.toISOString(), limit }
    const path = `${conversationPath(conversationId)}/messages`
    return (await this.call<Page<Message>>({ path, query })).items
  }

  /** Yield all messages after `afterSeq`, in order. */
  async *history(conversationId: string, afterSeq = 0): AsyncGenerator<Message> {
    for (let last = afterSeq; ;) {
      const page = await this.messages(conversationId, { afterSeq: last })
      yield* page
      const end = page.at(-1)
      if (end === undefined) return
      last = end.seq
    }
  }

  message(conversationId: string, messageId: string): Promise<Message> {
    return this.call({ path: messagePath(conversationId, messageId) })
  }

  send(conversationId: string, body: string, options: MessageOptions = {}): Promise<Message> {
    const path = `${conversationPath(conversationId)}/messages`
    return this.call({ method: 'POST', path, json: newMessage(body, options) }, { repeatable: true })
  }

  /** Forward a message into a conversation. */
  forward(message: Message, conversationId: string, clientMessageId = freshId()): Promise<Message> {
    const forward = { conversation_id: message.conversation_id, message_id: message.id }
    const path = `${conversationPath(conversationId)}/messages`
    const json = { client_message_id: clientMessageId, forward }
    return this.call({ method: 'POST', path, json }, { repeatable: true })
  }

  edit(conversationId: string, messageId: string, body: string): Promise<Message> {
    return this.call({ method: 'PATCH', path: messagePath(conversationId, messageId), json: { body } })
  }

  delete(conversationId: string, messageId: string): Promise<void> {
    return this.call({ method: 'DELETE', path: messagePath(conversationId, messageId) })
  }

  react(conversationId: string, messageId: string, emoji: string): Promise<void> {
    const path = `${messagePath(conversationId, messageId)}/reactions/${quoted(emoji)}`
    return this.call({ method: 'PUT', path })
  }

  unreact(conversationId: string, messageId: string, emoji: string): Promise<void> {
    const path = `${messagePath(conversationId, messageId)}/reactions/${quoted(emoji)}`
    return this.call({ method: 'DELETE', path })
  }

  /** Yield the messages that fit all that is given, newest first. */
  searchMessages(search: string, options: SearchOptions = {}): AsyncGenerator<SearchHit> {
    const { conversationId, senderId, mentionsMe, has, before, after } = options
    return this.items('/v1/search/messages', {
      q: search === '' ? undefined : search,
      conversation_id: conversationId,
      sender_id: senderId,
      mentions: mentionsMe === true ? 'me' : undefined,
      has,
      before: before?.toISOString(),
      after: after?.toISOString(),
    })
  }

  /** Yield the messages that mention oneself, newest first. */
  mentions(): AsyncGenerator<MentionHit> {
    return this.items('/v1/mentions', { limit: PAGE })
  }

  // Streamed messages

  /** Begin a message whose text follows. */
  startStream(conversationId: string, body: string, options: MessageOptions = {}): Promise<Message> {
    const path = `${conversationPath(conversationId)}/messages/stream`
    return this.call({ method: 'POST', path, json: newMessage(body, options) }, { repeatable: true })
  }

  /**
   * Append at an offset in code points, and return how far the text reaches; what is there already is skipped.
   *
   * Throws `CallError` `conflict` with `details.at` where text before it is missing.
   */
  async appendToStream(conversationId: string, messageId: string, at: number, text: string): Promise<number> {
    const path = `${messagePath(conversationId, messageId)}/stream`
    return (await this.call<{ at: number }>({ method: 'PATCH', path, json: { at, text } })).at
  }

  /** End a streamed message; `body` takes the place of what was appended. An empty one is deleted. */
  endStream(conversationId: string, messageId: string, body?: string): Promise<Message> {
    const path = `${messagePath(conversationId, messageId)}/stream/end`
    return this.call({ method: 'POST', path, json: { body } })
  }

  // Files

  /** Upload a file; its id goes into `fileIds` of a message. */
  async uploadFile(name: string, bytes: Blob): Promise<StoredFile> {
    const json = { name, size: bytes.size, content_type: 'application/octet-stream', purpose: 'message' }
    const { file, upload } = await this.call<{
      file: StoredFile
      upload: { method: string; url: string; headers: Record<string, string> }
    }>({ method: 'POST', path: '/v1/files', json })
    const { method, url, headers } = upload
    await this.http.send(url, { method, headers, body: bytes }, this.signal)
    const path = `/v1/files/${quoted(file.id)}/complete`
    return this.call({ method: 'POST', path, timeoutMs: COMPLETE_TIMEOUT_MS })
  }

  // Receipts, sync, presence, sessions

  /** Yield for each other member whether they received and read a message. */
  receipts(conversationId: string, seq: number): AsyncGenerator<Receipt> {
    return this.items(`${conversationPath(conversationId)}/receipts`, { seq, limit: PAGE })
  }

  /** Mark all messages up to `seq` as read. */
  markRead(conversationId: string, seq: number): Promise<void> {
    const path = `${conversationPath(conversationId)}/read`
    return this.call({ method: 'POST', path, json: { seq } }, { repeatable: true })
  }

  /** Return what changed since these `change_seq`, 100 conversations at most. */
  async sync(cursors: Readonly<Record<string, number>>): Promise<Record<string, SyncState>> {
    const call: Call = { method: 'POST', path: '/v1/sync', json: { cursors } }
    return (await this.call<SyncAnswer>(call, { repeatable: true })).conversations
  }

  async presence(userIds: readonly string[]): Promise<Presence[]> {
    const query = { user_ids: userIds.join(',') }
    return (await this.call<Page<Presence>>({ path: '/v1/presence', query })).items
  }

  setPresence(change: PresenceChange): Promise<void> {
    return this.call({ method: 'PUT', path: '/v1/presence/me', json: change })
  }

  sessions(): AsyncGenerator<Session> {
    return this.items('/v1/auth/sessions', { limit: PAGE })
  }

  endSession(sessionId: string): Promise<void> {
    return this.call({ method: 'DELETE', path: `/v1/auth/sessions/${quoted(sessionId)}` })
  }

  logOut(): Promise<void> {
    return this.call({ method: 'POST', path: '/v1/auth/logout' })
  }

  // Any call

  /** Make any call and return the JSON of the response. Throws `CallError`, `SessionEndedError`. */
  call<T>(call: Call, { repeatable = call.method !== 'POST' }: CallOptions = {}): Promise<T> {
    return retrying(() => this.callOnce<T>(call), repeatable ? GIVE_UP_AFTER_MS : 0, this.signal)
  }

  async callOnce<T>(call: Call): Promise<T> {
    const token = await this.token()
    try {
      return await this.withToken<T>(call, token)
    } catch (error) {
      if (!hasCode(error, 'token_expired', 'unauthenticated')) throw error
      return this.withToken<T>(call, await this.token({ refused: token }))
    }
  }

  /** Yield what a list has, page by page. */
  async *items<T>(path: string, query: Query): AsyncGenerator<T> {
    let cursor: string | null = null
    do {
      const page: Page<T> = await this.call<Page<T>>({ path, query: { ...query, cursor } })
      yield* page.items
      cursor = page.next_cursor
    } while (cursor !== null)
  }

  private withToken<T>(call: Call, token: string): Promise<T> {
    const { signal } = this
    if (signal?.aborted === true) throw new CallError('network', 'This client was closed.')
    const headers = { ...this.headers, ...call.headers }
    return this.http.call<T>({ ...call, token, headers, ...(signal === undefined ? {} : { signal }) })
  }
}

/** Return what sends a message, with an id of its own unless one is given. */
export function newMessage(body: string, options: MessageOptions): NewMessage {
  const { replyTo, threadId, metadata, fileIds, clientMessageId = freshId() } = options
  return {
    client_message_id: clientMessageId,
    body,
    ...(replyTo === undefined ? {} : { reply_to: replyTo }),
    ...(threadId === undefined ? {} : { thread_id: threadId }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(fileIds === undefined ? {} : { file_ids: [...fileIds] }),
  }
}

const quoted = encodeURIComponent
const conversationPath = (conversationId: string): string => `/v1/conversations/${quoted(conversationId)}`
const memberPath = (conversationId: string, userId: string): string =>
  `${conversationPath(conversationId)}/members/${quoted(userId)}`
const messagePath = (conversationId: string, messageId: string): string =>
  `${conversationPath(conversationId)}/messages/${quoted(messageId)}`
