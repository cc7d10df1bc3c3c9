/**
 * Everything that lives with one sign-in: the store, the socket, the outbox, sync, receipts, presence, typing, drafts.
 *
 * A session is started once and stopped once. Stopping aborts every call, timer and subscription that it owns, and its
 * store is not used again, so nothing that one user requested can reach the next.
 */
import type { EndReason, Message, ReadyToClient, User } from '../contracts.js'
import type { SessionAuth } from '../auth/auth.js'
import type { Change } from '../chat/changes/index.js'
import { ChatStore } from '../chat/store.js'
import { Rest, type TokenWish } from '../http.js'
import { backoffMs, sleep } from '../timing.js'
import { followActivity } from './activity.js'
import { Blocks } from './blocks.js'
import { AfterUploads } from './afterUploads.js'
import { Connection, type ServerEvent } from './connection.js'
import { Conversations } from './conversations.js'
import { followCutOff } from './cutOff.js'
import { Drafts } from './drafts.js'
import { changeOf } from './events.js'
import { FileContents } from './fileContents.js'
import { Freshness } from './freshness.js'
import { KnownUsers } from './knownUsers.js'
import { Loader } from './loading.js'
import { Messages } from './messages.js'
import { NotificationSettingsCache } from './notificationSettings.js'
import { Outbox } from './outbox.js'
import { PresenceSubscriptions } from './presence.js'
import { Receipts } from './receipts.js'
import { Search } from './search.js'
import { Streams } from './streams.js'
import { Sync } from './sync.js'
import { Threads } from './threads.js'
import { TypingNotifier } from './typing.js'
import { Uploads } from './uploads.js'

const CLOCK_MS = 1_000
/** Up to so many conversations that are not known yet are read one by one. */
const FEW = 5

type MessageListener = (message: Message) => void

export class LiveSession {
  private readonly abort = new AbortController()
  readonly signal = this.abort.signal
  readonly chat: ChatStore
  readonly rest: Rest
  readonly connection: Connection
  readonly receipts: Receipts
  readonly sync: Sync
  readonly outbox: Outbox
  readonly presence: PresenceSubscriptions
  readonly typing: TypingNotifier
  readonly loader: Loader
  readonly freshness: Freshness
  readonly conversations: Conversations
  readonly blocks: Blocks
  readonly messages: Messages
  readonly search: Search
  readonly threads: Threads
  readonly notificationSettings: NotificationSettingsCache
  readonly drafts: Drafts
  readonly contents: FileContents
  readonly uploads: Uploads
  readonly afterUploads: AfterUploads
  readonly cutOff: ReturnType<typeof followCutOff>
  private readonly streams: Streams
  private readonly knownUsers: KnownUsers
  /** Whether users may have changed since they were read: before an absence, or when they were last seen. */
  private usersAreOld = false
  private readonly messageListeners = new Set<MessageListener>()

  constructor(
    private readonly auth: Omit<SessionAuth, 'state'>,
    userId: string,
    readonly sessionId: string,
  ) {
    const { signal } = this
    const token = (wish?: TokenWish): Promise<string> => auth.accessToken(wish, sessionId)
    this.chat = new ChatStore(userId)
    this.rest = new Rest(token, signal)
    const onEnded = (reason: EndReason | 'refused'): void =>
      auth.end(reason === 'refused' ? 'expired' : reason)
    this.connection = new Connection(token, onEnded, signal)
    this.receipts = new Receipts(this.chat, this.connection, signal)
    this.outbox = new Outbox(this.chat, this.connection, signal)
    this.presence = new PresenceSubscriptions(this.chat, this.connection, signal)
    this.typing = new TypingNotifier(this.connection, signal)
    this.loader = new Loader(this.rest, this.chat)
    this.freshness = new Freshness(this.chat, this.loader, signal)
    const onReset = (id: string): void => {
      // What it is like now, its count of unread messages too, comes with the conversation alone.
      this.freshness.refreshSoon(id)
      this.blocks.refresh()
    }
    this.sync = new Sync(this.chat, this.connection, this.receipts, onReset, signal)
    this.conversations = new Conversations(this.rest, this.chat, this.presence, this.freshness)
    this.blocks = new Blocks(this.rest, this.chat)
    this.messages = new Messages(this.chat, this.connection, this.rest)
    this.search = new Search(this.rest, this.loader)
    this.threads = new Threads(this.chat, this.connection, this.rest, this.loader, signal)
    this.streams = new Streams(this.chat, this.loader)
    const onOwn = (user: User): void => auth.rename(user)
    this.knownUsers = new KnownUsers(this.chat, this.connection, this.loader, onOwn, signal)
    this.notificationSettings = new NotificationSettingsCache(this.rest)
    this.drafts = new Drafts(userId, signal)
    this.contents = new FileContents(this.rest, signal)
    this.uploads = new Uploads(this.rest, this.connection, this.contents, signal)
    this.afterUploads = new AfterUploads(this.uploads, this.outbox, this.drafts, signal)
    this.cutOff = followCutOff(this.connection, signal)
  }

  start(): void {
    // Without IndexedDB (some private windows) messages still go out; they only do not outlive the page.
    this.outbox.open().catch(() => undefined)
    this.drafts.start()
    const listed = this.loadUntilListed()
    this.connection.subscribe((event) => {
      if (event.event === 'ready') void this.catchUp(event.payload, listed)
      else this.receive(event)
    })
    followActivity(this.connection, this.signal)
    const clock = setInterval(() => this.expireTyping(), CLOCK_MS)
    this.signal.addEventListener('abort', () => clearInterval(clock))
    this.connection.open()
  }

  readonly stop = (): void => this.abort.abort()

  /** Subscribe to new messages of others, as they arrive live; one that is streamed is new once it is whole. */
  onMessage(listener: MessageListener): () => void {
    this.messageListeners.add(listener)
    return () => this.messageListeners.delete(listener)
  }

  private async loadUntilListed(): Promise<void> {
    for (let attempt = 0; !this.signal.aborted; attempt += 1) {
      try {
        return await this.loader.loadConversations()
      } catch {
        if (attempt === 0) void this.showLastSeen()
        await sleep(backoffMs(attempt), this.signal)
      }
    }
  }

  /** Until the list can be loaded. */
  private async showLastSeen(): Promise<void> {
    this.usersAreOld = true
    await import('./lastSeen.js')
      .then(({ restoreLastSeen }) => restoreLastSeen(this.chat, this.sessionId, this.signal))
      .catch(() => undefined)
  }

  /** After `ready`: fetch everything that may have been missed, send everything that waited. */
  private async catchUp(ready: ReadyToClient, listed: Promise<void>): Promise<void> {
    this.missReceipts(Object.keys(this.chat.current.threads))
    this.outbox.pumpAll()
    this.presence.resubscribeAll()
    this.receipts.resend()
    this.threads.catchUp()
    this.blocks.refresh()
    await listed
    if (this.usersAreOld) this.knownUsers.readAnewSoon()
    // From now on they are known by their events, until the next connection.
    this.usersAreOld = true
    await this.loadUnknown(ready)
    this.sync.syncSoon(this.behind(ready))
    this.receipts.markKnownDelivered(Object.keys(this.chat.current.threads))
  }

  /** Return the conversations in which the server is, or may be, ahead of us. */
  private behind(ready: ReadyToClient): string[] {
    const changeSeqs = new Map(ready.conversations.map(({ id, change_seq }) => [id, change_seq]))
    return Object.keys(this.chat.current.threads).filter((id) => {
      const { progress, snapshot, removedAt } = this.chat.thread(id)
      if (progress === null || removedAt !== null) return false
      const newest = changeSeqs.get(id) ?? snapshot?.change_seq ?? 0
      return newest > progress.upTo || progress.ahead.size > 0 || (!changeSeqs.has(id) && !ready.more)
    })
  }

  private async loadUnknown(ready: ReadyToClient): Promise<void> {
    const unknown = ready.conversations.filter(({ id, change_seq }) => {
      const { snapshot, removedAt } = this.chat.thread(id)
      return snapshot === null && (removedAt === null || change_seq > removedAt)
    })
    // What fails here is loaded when it is looked at, or at the next `ready`.
    if (unknown.length > FEW || ready.more) await this.loader.loadConversations().catch(() => undefined)
    else await Promise.all(unknown.map(({ id }) => this.loader.loadConversation(id).catch(() => undefined)))
  }

  private missReceipts(conversation_ids: readonly string[]): void {
    this.chat.dispatch({ type: 'receipts_missed', conversation_ids })
  }

  private expireTyping(): void {
    const { typing } = this.chat.current
    if (Object.values(typing).some((typists) => Object.keys(typists).length > 0)) {
      this.chat.dispatch({ type: 'clock', now: Date.now() })
    }
  }

  private receive(event: ServerEvent): void {
    if (event.event === 'message:delta') return this.streams.take(event.payload)
    const isWhole = event.event === 'message:updated' && this.streams.isEndOf(event.payload)
    const change = changeOf(event, Date.now())
    if (change !== null) {
      this.chat.dispatch(change)
      this.followUp(change)
    }
    if (event.event === 'conversation:new') this.missReceipts([event.payload.id])
    if (event.event === 'sync:required') {
      const ids = event.payload.conversation_ids ?? Object.keys(this.chat.current.threads)
      this.missReceipts(ids)
      this.sync.syncSoon(ids)
    }
    if (event.event === 'message:new') this.receiveMessage(event.payload)
    if (event.event === 'message:new' || event.event === 'message:deleted')
      this.threads.received(event.payload)
    if (event.event === 'thread:updated') this.threads.take(event.payload)
    if (isWhole) this.announce(event.payload)
    if (event.event === 'user:updated' && event.payload.id === this.chat.me) this.auth.rename(event.payload)
  }

  private followUp(change: Change): void {
    if (change.type === 'message') this.freshness.check(change.message.conversation_id)
    else if (change.type === 'conversation') this.freshness.check(change.conversation.id)
    else if (change.type === 'member' || change.type === 'receipt')
      this.freshness.check(change.conversation_id)
    if (change.type === 'conversation' && change.conversation.peer !== null)
      this.presence.resubscribe([change.conversation.peer.id])
    if (change.type === 'member' && change.role !== null) this.presence.resubscribe([change.user_id])
    if (change.type === 'message' || change.type === 'member' || change.type === 'conversation')
      this.sync.watchGaps()
  }

  private receiveMessage(message: Message): void {
    if (message.sender_id === this.chat.me) return
    this.receipts.markDelivered(message.conversation_id, message.seq)
    if (message.system == null && message.streaming !== true) this.announce(message)
  }

  private announce(message: Message): void {
    if (message.sender_id === this.chat.me) return
    for (const listener of this.messageListeners) listener(message)
  }
}
