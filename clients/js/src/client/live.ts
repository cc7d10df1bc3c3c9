/**
 * Live events without gaps: what comes by the socket and what `sync` returns become one ordered stream.
 *
 * `sync` is called after each `ready` for what differs, on `sync:required`, and when a gap does not close by itself. One
 * call is under way at a time; what does not finish before the connection is lost is wanted again after the next `ready`.
 */
import type { Message, MessageSendToServer, Presence, ReadyToClient } from '../contracts.js'
import { SessionEndedError } from '../errors.js'
import type { TokenSource } from '../http.js'
import { Connection, type ServerEvent } from '../live/connection.js'
import { backoffMs, sleep, Timer } from '../timing.js'
import type { Cursor, Cursors, Event, PassingEvent } from './events.js'
import { changeOf, Following, type Change } from './following.js'
import { EventQueue } from './queue.js'
import type { RestApi } from './rest.js'

/** Of the 100 that the server takes: an ack has up to 100 messages for each. */
const MAX_CURSORS = 20
/** Acks and events come in no promised order: a gap that closes by itself within this is none. */
const GAP_GRACE_MS = 400

export interface LiveOptions {
  url: string
  token: TokenSource
  rest: RestApi
  cursors: Cursors
  transports: ('websocket' | 'polling')[]
}

export class Live {
  readonly connection: Connection
  private readonly abort = new AbortController()
  private readonly rest: RestApi
  private readonly following: Following
  private readonly done: Map<string, Cursor>
  private readonly wanted = new Map<string, Cursor | null>()
  private readonly watched = new Set<string>()
  private readonly queue = new EventQueue(() => this.catchUpSoon())
  private readonly gapTimer = new Timer(this.abort.signal)
  /** Whether something is to be done for a connection that is new. */
  private isNew = false
  private hasMore = false
  private isCatchingUp = false
  private failure: Error | null = null

  constructor({ url, token, rest, cursors, transports }: LiveOptions) {
    this.rest = rest
    this.following = new Following(cursors)
    this.done = new Map(Object.entries(cursors))
    const onEnded = (reason: SessionEndedError['reason']): void => this.fail(new SessionEndedError(reason))
    this.connection = new Connection(token, onEnded, this.abort.signal, {
      url,
      transports,
      onRefused: (error) => this.fail(error),
    })
    this.connection.subscribe((event) => this.receive(event))
    let wasLive = false
    this.connection.state.subscribe(({ state }) => {
      if (wasLive && state !== 'live') this.queue.put({ event: { type: 'disconnected' } })
      wasLive = state === 'live'
    })
  }

  open(): void {
    this.connection.open()
  }

  close(): void {
    this.abort.abort()
    this.queue.wake()
  }

  /** How far the app has come: what it asked for after it had the event before. */
  get cursors(): Cursors {
    return Object.fromEntries(this.done)
  }

  /** Yield events until the session ends, or this is closed. Throws `SessionEndedError`, `CallError`. */
  async *events(): AsyncGenerator<Event, void, undefined> {
    while (!this.abort.signal.aborted) {
      const step = this.queue.take()
      if (step === null) {
        if (this.failure !== null) throw this.failure
        await this.queue.wait()
        continue
      }
      yield step.event
      // Whoever asks for the next one has dealt with this one.
      if (step.known === undefined) continue
      const { conversationId, cursor } = step.known
      if (cursor === null) this.done.delete(conversationId)
      else this.done.set(conversationId, cursor)
    }
  }

  async send(payload: MessageSendToServer): Promise<Message> {
    const { message } = await this.connection.request('message:send', payload)
    this.take(changeOf.message(message))
    return message
  }

  async watch(userIds: readonly string[]): Promise<Presence[]> {
    const { items } = await this.connection.request('presence:subscribe', { user_ids: [...userIds] })
    for (const id of userIds) this.watched.add(id)
    return items
  }

  async unwatch(userIds: readonly string[]): Promise<void> {
    for (const id of userIds) this.watched.delete(id)
    await this.connection.request('presence:unsubscribe', { user_ids: [...userIds] })
  }

  private fail(error: Error): void {
    this.failure = error
    this.queue.wake()
  }

  /** Hand events of a conversation on; the last one says how far they reach. */
  private put(conversationId: string, events: readonly Event[]): void {
    const cursor = this.following.cursor(conversationId)
    this.queue.put(
      ...events.map((event, at) =>
        at < events.length - 1 ? { event } : { event, known: { conversationId, cursor } },
      ),
    )
  }

  private take(change: Change): void {
    const { conversationId } = change
    if (this.queue.isFull) {
      this.following.miss(conversationId)
      return this.want(conversationId)
    }
    const isUnknown = !this.following.has(conversationId)
    this.put(conversationId, this.following.take(change))
    if (isUnknown) this.want(conversationId)
    else this.gapTimer.start(GAP_GRACE_MS, () => this.want(...this.following.withGaps()))
  }

  /** Sync from what is known now, even if more is known by then: what was before may have changed as well. */
  private want(...conversationIds: string[]): void {
    for (const id of conversationIds) if (!this.wanted.has(id)) this.wanted.set(id, this.following.cursor(id))
    this.catchUpSoon()
  }

  private receive(event: ServerEvent): void {
    switch (event.event) {
      case 'ready':
        return this.connected(event.payload)
      case 'message:new':
      case 'message:updated':
      case 'message:deleted':
        return this.take(changeOf.message(event.payload))
      case 'conversation:updated':
        return this.take(changeOf.conversation(event.payload))
      case 'member:changed': {
        const { conversation_id, user_id, role, change_seq, muted_until = null } = event.payload
        const type = 'member.changed'
        return this.take(changeOf.member({ type, conversation_id, user_id, role, change_seq, muted_until }))
      }
      case 'conversation:new':
        return this.put(event.payload.id, this.following.added(event.payload))
      case 'conversation:removed':
        return this.put(event.payload.id, this.following.removed(event.payload.id))
      case 'sync:required':
        return this.want(...(event.payload.conversation_ids ?? this.following.ids))
      default: {
        const passing = passingOf(event)
        if (passing !== null && !this.queue.isFull) this.queue.put({ event: passing })
      }
    }
  }

  private connected({ connection_id, conversations, more }: ReadyToClient): void {
    this.queue.put({ event: { type: 'connected', connection_id } })
    this.isNew = true
    this.hasMore = more
    this.compare(conversations, !more)
  }

  private compare(states: readonly ({ id: string } & Cursor)[], complete: boolean): void {
    const isFirst = this.done.size === 0
    this.want(...this.following.connected(new Map(states.map((state) => [state.id, state])), complete))
    if (!isFirst) return
    for (const { id } of states) {
      const cursor = this.following.cursor(id)
      if (cursor !== null) this.done.set(id, cursor)
    }
  }

  private catchUpSoon(): void {
    if (!this.isCatchingUp) void this.catchUp()
  }

  private async catchUp(): Promise<void> {
    this.isCatchingUp = true
    const isDue = (): boolean =>
      this.connection.isLive && !this.queue.isFull && (this.isNew || this.wanted.size > 0)
    for (let failures = 0; isDue();) {
      try {
        await this.completeIfNew()
        await this.syncSome()
        failures = 0
      } catch (error) {
        if (error instanceof SessionEndedError) this.fail(error)
        await sleep(backoffMs(failures), this.abort.signal)
        failures += 1
      }
    }
    this.isCatchingUp = false
  }

  /** Fetch what `ready` did not have, and ask again for what the connection before had asked for. */
  private async completeIfNew(): Promise<void> {
    if (!this.isNew) return
    this.isNew = false
    try {
      if (this.hasMore) {
        const states = []
        for await (const { id, change_seq, last_seq } of this.rest.conversations())
          states.push({ id, change_seq, last_seq })
        this.compare(states, true)
      }
      if (this.watched.size === 0) return
      for (const presence of await this.watch([...this.watched]))
        this.queue.put({ event: { type: 'presence.changed', presence } })
    } catch (error) {
      this.isNew = true
      throw error
    }
  }

  private async syncSome(): Promise<void> {
    const wanted = [...this.wanted].slice(0, MAX_CURSORS)
    for (const [id] of wanted) this.wanted.delete(id)
    try {
      await this.sync(wanted)
    } catch (error) {
      for (const [id, cursor] of wanted) this.wanted.set(id, cursor)
      throw error
    }
  }

  private async sync(wanted: readonly (readonly [string, Cursor | null])[]): Promise<void> {
    const cursors: Record<string, number> = {}
    for (const [id, known] of wanted) {
      this.following.expect(id)
      const cursor = known ?? this.following.cursor(id)
      if (cursor !== null) cursors[id] = cursor.change_seq
    }
    if (Object.keys(cursors).length === 0) return
    const { conversations } = await this.connection.request('sync', { cursors })
    for (const [id, state] of Object.entries(conversations)) {
      if (state.removed === true) this.put(id, this.following.removed(id))
      else if (state.reset === true) {
        const { last_seq } = await this.rest.conversation(id)
        this.put(id, this.following.reset(id, state.change_seq ?? 0, last_seq))
      } else {
        this.put(id, this.following.synced(id, state))
        if (state.more === true) this.want(id)
      }
    }
  }
}

/** Return an event without a number; null: it is of no interest to an app, or not known here. */
function passingOf(event: ServerEvent): PassingEvent | null {
  switch (event.event) {
    case 'message:delta':
      return { type: 'message.delta', ...event.payload }
    case 'message:ephemeral':
      return { type: 'message.ephemeral', message: event.payload }
    case 'receipt:updated':
      return { type: 'receipt.updated', ...event.payload }
    case 'typing':
      return { type: 'typing', ...event.payload }
    case 'presence:changed':
      return { type: 'presence.changed', presence: event.payload }
    case 'user:updated':
      return { type: 'user.updated', user: event.payload }
    default:
      return null
  }
}
