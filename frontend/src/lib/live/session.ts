/**
 * Everything that lives with one sign-in: the store, the socket, the outbox, sync, receipts, presence, typing, drafts.
 *
 * A session is started once and stopped once. Stopping aborts every call, timer and subscription that it owns, and its
 * store is not used again, so nothing that one user requested can reach the next.
 */
import type { Message, ReadyToClient } from '@/contracts'
import type { SessionAuth } from '@/lib/auth/auth'
import type { Change } from '@/lib/chat/changes'
import { ChatStore } from '@/lib/chat/store'
import { Rest, type TokenWish } from '@/lib/http'
import { backoffMs, sleep } from '@/lib/timing'
import { followActivity } from './activity'
import { Blocks } from './blocks'
import { AfterUploads } from './afterUploads'
import { Connection, type ServerEvent } from './connection'
import { Conversations } from './conversations'
import { followCutOff } from './cutOff'
import { Drafts } from './drafts'
import { changeOf } from './events'
import { FileContents } from './fileContents'
import { Freshness } from './freshness'
import { Loader } from './loading'
import { Messages } from './messages'
import { NotificationSettingsCache } from './notificationSettings'
import { Outbox } from './outbox'
import { PresenceSubscriptions } from './presence'
import { Receipts } from './receipts'
import { Search } from './search'
import { Streams } from './streams'
import { Sync } from './sync'
import { Threads } from './threads'
import { TypingNotifier } from './typing'
import { Uploads } from './uploads'

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
    this.connection = new Connection(token, (reason) => auth.end(reason), signal)
    this.receipts = new Receipts(this.chat, this.connection, signal)
    this.sync = new Sync(this.chat, this.connection, this.receipts, signal)
    this.outbox = new Outbox(this.chat, this.connection, signal)
    this.presence = new PresenceSubscriptions(this.chat, this.connection, signal)
    this.typing = new TypingNotifier(this.connection, signal)
    this.loader = new Loader(this.rest, this.chat)
    this.freshness = new Freshness(this.chat, this.loader, signal)
    this.conversations = new Conversations(this.rest, this.chat, this.presence, this.freshness)
    this.blocks = new Blocks(this.rest, this.chat)
    this.messages = new Messages(this.chat, this.connection, this.rest)
    this.search = new Search(this.rest, this.loader)
    this.threads = new Threads(this.chat, this.connection, this.rest, this.loader, signal)
    this.streams = new Streams(this.chat, this.loader)
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
    await import('./lastSeen')
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
    await listed
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
