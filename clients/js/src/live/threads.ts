/**
 * The threads that the user follows: how far they are read there, and how much is unread. The server counts; what came
 * since is asked for again, a short while after it came.
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { Message, Thread, ThreadUpdatedToClient } from '../contracts.js'
import { placeOf, replySummaryOf } from '../chat/replies.js'
import type { ChatStore } from '../chat/store.js'
import { isMention } from '../chat/summaries.js'
import { isPassing } from '../errors.js'
import type { Page, Rest } from '../http.js'
import { Timer } from '../timing.js'
import type { Connection } from './connection.js'
import type { Loader } from './loading.js'

const URL = '/v1/threads'
const PAGE = 100
/** Older threads than these are found in their conversation. */
const MAX_PAGES = 5
const REPLIES = 50
const SETTLE_MS = 300
const RETRY_MS = 2_000

export type ThreadState = Omit<ThreadUpdatedToClient, 'mention_count'>

export class Threads {
  /** By root message. */
  readonly known: StoreApi<Readonly<Record<string, ThreadState>>> = createStore(() => ({}))
  /** Rises with each count. */
  readonly counted: StoreApi<{ times: number }> = createStore(() => ({ times: 0 }))
  private readonly due: Timer
  private readonly marking: Timer
  /** Read marks that were not acked, by place. */
  private readonly marks = new Map<string, { conversation_id: string; thread_id: string; seq: number }>()
  private listing: Promise<void> | null = null

  constructor(
    private readonly chat: ChatStore,
    private readonly connection: Connection,
    private readonly rest: Rest,
    private readonly loader: Loader,
    signal: AbortSignal,
  ) {
    this.due = new Timer(signal)
    this.marking = new Timer(signal)
  }

  /** After a connection: count anew, and send the marks that had no ack. */
  catchUp(): void {
    this.listing = null
    this.recountSoon()
    this.sendMarks()
  }

  /** Take what the server says of one thread. */
  take({ conversation_id, thread_id, following, read_seq, unread_count }: ThreadState): void {
    const known = this.known.getState()[thread_id]
    // One's own mark may be ahead of the server's.
    const ahead = known !== undefined && known.read_seq > read_seq
    this.known.setState({
      [thread_id]: {
        conversation_id,
        thread_id,
        following,
        read_seq: ahead ? known.read_seq : read_seq,
        unread_count: ahead ? known.unread_count : unread_count,
      },
    })
  }

  /** A reply of somebody else came, or one was deleted: count anew where the user may follow. */
  received(message: Message): void {
    const { thread_id, conversation_id } = message
    if (thread_id == null || message.sender_id === this.chat.me) return
    const known = this.known.getState()[thread_id]
    const root = this.chat.index.find(this.chat.thread(conversation_id), thread_id)
    const concerns = isMention(message, this.chat.me) || root === undefined || root.sender_id === this.chat.me
    if (known === undefined ? concerns : known.following || isMention(message, this.chat.me))
      this.recountSoon()
  }

  /** Load all that is followed, once for each connection. */
  load(): Promise<void> {
    this.listing ??= this.readAll().catch((error: unknown) => {
      this.listing = null
      throw error
    })
    return this.listing
  }

  /** Return a page of what is followed, the last reply first; who took part is loaded. */
  async page(wanted: { unread: boolean; cursor: string | null }, signal: AbortSignal): Promise<Page<Thread>> {
    const { unread, cursor } = wanted
    const params = { unread, ...(cursor !== null && { cursor }) }
    const page = await this.rest.call<Page<Thread>>({ url: URL, params, signal })
    this.takePage(page.items)
    await this.loader.loadUsers(page.items.map(({ root }) => root.sender_id))
    return page
  }

  /** Load a page of replies that ends before `before`; return where it begins, 0 for the very first. */
  async loadReplies(conversationId: string, threadId: string, before: number | null): Promise<number> {
    const url = `/v1/conversations/${conversationId}/messages`
    const params = { thread_id: threadId, limit: REPLIES, ...(before !== null && { before_seq: before }) }
    const { items } = await this.rest.call<Page<Message>>({ url, params })
    this.chat.dispatch(...items.map((message) => ({ type: 'message' as const, message })))
    return items.length < REPLIES ? 0 : Math.min(...items.map(({ seq }) => seq))
  }

  async follow({ conversation_id, id: thread_id, seq }: Message, on: boolean): Promise<void> {
    const url = `/v1/conversations/${conversation_id}/messages/${thread_id}/follow`
    await this.rest.call<void>({ method: on ? 'PUT' : 'DELETE', url })
    const known = this.known.getState()[thread_id]
    this.take({
      conversation_id,
      thread_id,
      following: on,
      read_seq: known?.read_seq ?? seq,
      unread_count: on ? (known?.unread_count ?? 0) : 0,
    })
    this.recountSoon()
  }

  /** Whoever answers follows, and has read up to there; one's other devices get it from the server. */
  answered(conversation_id: string, thread_id: string, seq: number): void {
    this.take({ conversation_id, thread_id, following: true, read_seq: seq, unread_count: 0 })
  }

  /** Mark replies as read by the user; the mark only rises. */
  markRead(conversation_id: string, thread_id: string, seq: number): void {
    const known = this.known.getState()[thread_id]
    const place = placeOf(conversation_id, thread_id)
    if (seq <= (known?.read_seq ?? 0) || seq <= (this.marks.get(place)?.seq ?? 0)) return
    const conversation = this.chat.thread(conversation_id)
    const root = this.chat.index.find(conversation, thread_id)
    const last = root === undefined ? 0 : (replySummaryOf(conversation, root)?.last_seq ?? 0)
    if (known !== undefined)
      this.known.setState({
        [thread_id]: { ...known, read_seq: seq, unread_count: seq >= last ? 0 : known.unread_count },
      })
    this.marks.set(place, { conversation_id, thread_id, seq })
    this.sendMarks()
  }

  private sendMarks(): void {
    this.marking.start(SETTLE_MS, () => {
      for (const [place, mark] of this.marks) void this.sendMark(place, mark)
    })
  }

  private async sendMark(
    place: string,
    mark: { conversation_id: string; thread_id: string; seq: number },
  ): Promise<void> {
    if (!this.connection.isLive) return
    try {
      await this.connection.request('thread:read', mark)
    } catch (error) {
      // Without a connection it is sent with the next one.
      if (isPassing(error)) {
        if (this.connection.isLive) this.marking.start(RETRY_MS, () => this.sendMarks())
        return
      }
    }
    if (this.marks.get(place) === mark) this.marks.delete(place)
  }

  private recountSoon(): void {
    // What fails is counted again with the next reply or connection.
    this.due.start(SETTLE_MS, () => void this.recount().catch(() => undefined))
  }

  private async recount(): Promise<void> {
    const unread = new Set<string>()
    const params = { unread: true, limit: PAGE }
    for await (const items of this.rest.pages<Thread>(URL, params, MAX_PAGES)) {
      for (const { root } of items) unread.add(root.id)
      this.takePage(items)
    }
    for (const [id, state] of Object.entries(this.known.getState()))
      if (state.unread_count > 0 && !unread.has(id))
        this.known.setState({ [id]: { ...state, unread_count: 0 } })
    this.counted.setState(({ times }) => ({ times: times + 1 }))
  }

  private async readAll(): Promise<void> {
    for await (const items of this.rest.pages<Thread>(URL, { limit: PAGE }, MAX_PAGES)) this.takePage(items)
  }

  private takePage(items: readonly Thread[]): void {
    this.chat.dispatch(...items.map(({ root }) => ({ type: 'message' as const, message: root })))
    for (const { root, ...state } of items) this.take({ ...state, thread_id: root.id })
  }
}

/** How many threads have something unread. */
export const unreadThreads = (known: Readonly<Record<string, ThreadState>>): number =>
  Object.values(known).filter(({ following, unread_count }) => following && unread_count > 0).length
