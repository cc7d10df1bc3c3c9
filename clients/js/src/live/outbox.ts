/**
 * Sends messages, and stores them until the server has acked them.
 *
 * They go out in the order they were written, one at a time in each conversation, each always with the same
 * `client_message_id`, so that a repeat (after a lost ack, a reconnect, a reload) is the same message to the server.
 * A tab sends what was written in it. What a closed tab left behind is taken over by one that is open: each tab has a lock
 * with its name for as long as its session lasts, and who gets that lock takes its messages over.
 */
import type { File as StoredFile, Forward } from '../contracts.js'
import type { Outgoing, SendingState } from '../chat/state.js'
import type { ChatStore } from '../chat/store.js'
import { CallError, isPassing } from '../errors.js'
import { freshId } from '../ids.js'
import { backoffMs, sleep } from '../timing.js'
import type { Connection } from './connection.js'
import { OutboxDatabase, type Row } from './outboxDatabase.js'

/** Passing failures while connected, after which a message is shown as failed and waits for the user. */
const MAX_TRIES = 8

/** Conversations in which messages go out at the same time after a reconnect. */
const MAX_PARALLEL = 8

/** What a message may have beside its text. */
interface Beside {
  replyTo?: string | null
  /** The root of the thread that it goes to. */
  threadId?: string | null
  alsoInConversation?: boolean
  files?: readonly StoredFile[]
  /** The message that it forwards; `body` and `files` are those of that message, to be shown until the server has it. */
  forward?: Forward | null
}

const lockName = (tab: string): string => `synctalk.tab.${tab}`

export class Outbox {
  private readonly tab = freshId()
  private readonly database = new OutboxDatabase()
  private readonly sending = new Set<string>()
  private position = 0

  constructor(
    private readonly chat: ChatStore,
    private readonly connection: Connection,
    private readonly signal: AbortSignal,
  ) {}

  /** Open the storage and take over what earlier tabs left. */
  async open(): Promise<void> {
    this.lockName()
    await this.database.open(this.chat.me, this.signal)
    const rows = await this.database.rows()
    this.position = Math.max(this.position, Date.now(), ...rows.map((row) => row.position))
    const others = new Set(rows.map((row) => row.tab).filter((tab) => tab !== this.tab))
    await Promise.all([...others].map((tab) => this.takeOver(tab)))
    await this.database.flush()
  }

  /** Show a message at once, store it, send it as soon as possible. */
  async send(conversationId: string, body: string, beside: Beside = {}): Promise<void> {
    const { replyTo = null, threadId = null, alsoInConversation = false } = beside
    const { files = [], forward = null } = beside
    this.position = Math.max(this.position + 1, Date.now())
    const row: Row = {
      client_message_id: freshId(),
      conversation_id: conversationId,
      body,
      reply_to: replyTo,
      thread_id: threadId,
      also_in_conversation: alsoInConversation,
      files,
      forward,
      created_at: new Date().toISOString(),
      position: this.position,
      tab: this.tab,
      failed: null,
    }
    this.show(row)
    await this.database.put(row)
    void this.pump(conversationId)
  }

  async retry(item: Outgoing): Promise<void> {
    this.setSending(item, { state: 'queued' })
    await this.database.update(item.client_message_id, { failed: null })
    void this.pump(item.conversation_id)
  }

  /** Take a message back before it is sent; false where that is too late, as the server may have it. */
  takeBack({ conversation_id, client_message_id }: Outgoing): boolean {
    const item = this.itemsIn(conversation_id).find((other) => other.client_message_id === client_message_id)
    if (item === undefined || item.sending.state === 'sending') return false
    this.chat.dispatch({ type: 'withdrawn', conversation_id, client_message_id })
    void this.database.delete(client_message_id)
    return true
  }

  /** Wait until a message is no longer in flight: acked, failed, or waiting for a connection. */
  settled({ conversation_id, client_message_id }: Outgoing): Promise<void> {
    const inFlight = (): boolean =>
      this.connection.isLive &&
      this.itemsIn(conversation_id).some(
        (item) => item.client_message_id === client_message_id && item.sending.state !== 'failed',
      )
    return new Promise((resolve) => {
      const stops = [this.chat.state.subscribe(look), this.connection.state.subscribe(look)]
      function look(): void {
        if (inFlight()) return
        for (const stop of stops) stop()
        resolve()
      }
      look()
    })
  }

  /** Send what waits, in a few conversations at a time. Called when the connection is back. */
  pumpAll(): void {
    const ids = Object.keys(this.chat.current.outgoing)
    const pumpRest = async (): Promise<void> => {
      for (let id = ids.shift(); id !== undefined; id = ids.shift()) await this.pump(id)
    }
    for (let count = 0; count < MAX_PARALLEL; count += 1) void pumpRest()
  }

  get unsentCount(): number {
    return Object.values(this.chat.current.outgoing).reduce((count, items) => count + items.length, 0)
  }

  /** Lock this tab's name until the session ends or the page is closed. */
  private lockName(): void {
    if (!('locks' in navigator)) return
    void navigator.locks.request(lockName(this.tab), () =>
      this.signal.aborted
        ? undefined
        : new Promise<void>((resolve) => this.signal.addEventListener('abort', () => resolve())),
    )
  }

  /** Take over the messages of a tab once it is closed. Without locks it counts as closed. */
  private async takeOver(tab: string): Promise<void> {
    const take = async (): Promise<void> => {
      if (this.signal.aborted) return
      const rows = (await this.database.rows()).filter((row) => row.tab === tab)
      for (const row of rows) await this.database.put({ ...row, tab: this.tab })
      for (const row of rows) this.show(row)
      for (const row of rows) void this.pump(row.conversation_id)
    }
    if (!('locks' in navigator)) return take()
    // An abort ends the wait for the lock.
    navigator.locks.request(lockName(tab), { signal: this.signal }, take).catch(() => undefined)
  }

  private show(row: Row): void {
    const { client_message_id, conversation_id, body, reply_to, created_at } = row
    const { thread_id = null, also_in_conversation = false, files = [], forward = null } = row
    const content = { body, reply_to, thread_id, also_in_conversation, files, forward }
    this.setSending({ client_message_id, conversation_id, created_at, ...content }, stateOf(row))
  }

  private setSending(item: Omit<Outgoing, 'sending'>, sending: SendingState): void {
    this.chat.dispatch({ type: 'outgoing', item: { ...item, sending } })
  }

  private itemsIn(conversationId: string): readonly Outgoing[] {
    return this.chat.current.outgoing[conversationId] ?? []
  }

  private nextIn(conversationId: string): Outgoing | undefined {
    return this.itemsIn(conversationId).find((item) => item.sending.state !== 'failed')
  }

  private async pump(conversationId: string): Promise<void> {
    if (this.sending.has(conversationId)) return
    this.sending.add(conversationId)
    try {
      for (
        let tries = 0, item = this.nextIn(conversationId);
        item !== undefined && this.connection.isLive;
        item = this.nextIn(conversationId)
      ) {
        tries = (await this.sendOne(item, tries)) ? 0 : tries + 1
      }
    } finally {
      this.sending.delete(conversationId)
    }
  }

  /** Return true when it is settled, one way or the other. */
  private async sendOne(item: Outgoing, tries: number): Promise<boolean> {
    const { conversation_id, client_message_id } = item
    this.setSending(item, { state: 'sending' })
    void this.database.update(client_message_id, { tried: true })
    try {
      const { message } = await this.connection.request('message:send', {
        conversation_id,
        client_message_id,
        ...contentOf(item),
      })
      this.chat.dispatch({ type: 'message', message })
      await this.database.delete(client_message_id)
      return true
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      if (!this.connection.isLive || (isPassing(error) && tries < MAX_TRIES)) {
        if (error.code === 'rate_limited') this.requeue(item)
        await sleep(error.retryAfterMs ?? backoffMs(tries), this.signal)
        return false
      }
      this.setSending(item, { state: 'failed', reason: error.code })
      await this.database.update(client_message_id, { failed: error.code })
      return true
    }
  }

  /** Refused for now: it waits as if it had never been tried. */
  private requeue(item: Outgoing): void {
    this.setSending(item, { state: 'queued' })
    void this.database.update(item.client_message_id, { tried: false })
  }
}

function contentOf(item: Outgoing): object {
  const { body, reply_to, thread_id, also_in_conversation, files, forward } = item
  if (forward !== null) return { forward }
  return {
    body,
    ...(reply_to === null ? {} : { reply_to }),
    ...(thread_id === null ? {} : { thread_id, also_in_conversation }),
    ...(files.length === 0 ? {} : { file_ids: files.map(({ id }) => id) }),
  }
}

function stateOf({ failed, tried }: Row): SendingState {
  if (failed !== null) return { state: 'failed', reason: failed }
  return { state: tried === true ? 'sending' : 'queued' }
}
