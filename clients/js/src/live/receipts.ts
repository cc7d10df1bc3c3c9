/**
 * Sends what was delivered and read to the server. Marks only rise and come in bursts, so per conversation the highest of a
 * short while is sent, many in one call, and again after a reconnect if it was not acked. One call is in flight at a time.
 */
import type { ChatStore } from '../chat/store.js'
import { CallError, hasCode, isPassing } from '../errors.js'
import { Timer } from '../timing.js'
import type { Connection } from './connection.js'

const COALESCE_MS = 150
/** A mark that was refused for a passing reason is sent again after this. */
const RETRY_MS = 2_000
/** The server takes so many in one call. */
const MAX_TOGETHER = 500
/** An older server takes them one by one: so many in flight at a time. */
const MAX_SINGLE = 24

interface Mark {
  seq: number
  /** Up to here there is nothing more to send: it was acked, or refused for good. */
  settled: number
}

type Kind = 'delivered' | 'read'

/** A mark to be sent. */
interface Due {
  kind: Kind
  conversation_id: string
  seq: number
}

export class Receipts {
  private readonly marks: Record<Kind, Map<string, Mark>> = { delivered: new Map(), read: new Map() }
  private readonly timer: Timer
  private running = false
  private together = true

  constructor(
    private readonly chat: ChatStore,
    private readonly connection: Connection,
    signal: AbortSignal,
  ) {
    this.timer = new Timer(signal)
  }

  markDelivered(conversationId: string, seq: number): void {
    this.raise('delivered', conversationId, seq)
  }

  /** Mark as read by the user: the unread count falls at once, before the ack. */
  markRead(conversationId: string, seq: number): void {
    const { me } = this.chat
    const known = this.chat.thread(conversationId).marks[me]?.read_seq ?? 0
    if (seq <= known) {
      // Reading again ends that it was marked unread.
      if (this.chat.summary(conversationId)?.markedUnread === true) this.repeat('read', conversationId, known)
      return
    }
    this.chat.dispatch({
      type: 'receipt',
      conversation_id: conversationId,
      user_id: me,
      delivered_seq: seq,
      read_seq: seq,
    })
    this.raise('read', conversationId, seq)
  }

  /** Mark what is known of these conversations as delivered to this device. */
  markKnownDelivered(ids: Iterable<string>): void {
    for (const id of ids) {
      const { snapshot, top, marks } = this.chat.thread(id)
      const seq = Math.max(top, snapshot?.last_seq ?? 0)
      const delivered = marks[this.chat.me]?.delivered_seq ?? 0
      if (snapshot !== null && seq > delivered) this.markDelivered(id, seq)
    }
  }

  /** Send what had no ack; after a reconnect, perhaps to a server of another version. */
  resend(): void {
    this.together = true
    this.schedule()
  }

  private raise(kind: Kind, conversationId: string, seq: number): void {
    const mark = this.marks[kind].get(conversationId)
    if (mark !== undefined && mark.seq >= seq) return
    this.marks[kind].set(conversationId, { seq, settled: mark?.settled ?? 0 })
    this.schedule()
  }

  private repeat(kind: Kind, conversationId: string, seq: number): void {
    this.marks[kind].set(conversationId, { seq, settled: seq - 1 })
    this.schedule()
  }

  private settle({ kind, conversation_id, seq }: Due): void {
    const mark = this.marks[kind].get(conversation_id)
    if (mark !== undefined) mark.settled = Math.max(mark.settled, seq)
  }

  private schedule(afterMs = COALESCE_MS): void {
    this.timer.start(afterMs, () => {
      if (!this.running) void this.run()
    })
  }

  private async run(): Promise<void> {
    this.running = true
    let wait: number | null = null
    try {
      for (let due = this.due(); due.length > 0 && wait === null && this.connection.isLive; due = this.due())
        wait = await this.send(due)
    } finally {
      this.running = false
    }
    if (wait !== null) this.schedule(wait)
  }

  /** Return what is to be sent, the read marks first. Read implies delivered. */
  private due(): Due[] {
    const due: Due[] = []
    for (const [conversation_id, { seq, settled }] of this.marks.read) {
      if (seq > settled) due.push({ kind: 'read', conversation_id, seq })
    }
    for (const [conversation_id, { seq, settled }] of this.marks.delivered) {
      const impliedByRead = (this.marks.read.get(conversation_id)?.seq ?? 0) >= seq
      if (seq > settled && !impliedByRead) due.push({ kind: 'delivered', conversation_id, seq })
    }
    return due
  }

  /** Return how long to wait before what is left is sent again; null when all was settled. */
  private async send(due: readonly Due[]): Promise<number | null> {
    if (due.length > 1 && this.together) return this.sendTogether(due.slice(0, MAX_TOGETHER))
    return longest(await Promise.all(due.slice(0, MAX_SINGLE).map((mark) => this.sendOne(mark))))
  }

  private async sendOne(due: Due): Promise<number | null> {
    const { kind, conversation_id, seq } = due
    try {
      await this.connection.request(`receipt:${kind}`, { conversation_id, seq })
      this.settle(due)
      return null
    } catch (error) {
      return this.afterFailure(due, error)
    }
  }

  private async sendTogether(due: readonly Due[]): Promise<number | null> {
    const payload: Record<Kind, Record<string, number>> = { delivered: {}, read: {} }
    for (const { kind, conversation_id, seq } of due) payload[kind][conversation_id] = seq
    try {
      const { failed } = await this.connection.request('receipts', payload)
      const waits = due.map((mark) => {
        const detail = failed[mark.conversation_id]
        if (detail !== undefined) return this.afterFailure(mark, CallError.fromDetail(detail))
        this.settle(mark)
        return null
      })
      return longest(waits)
    } catch (error) {
      if (!hasCode(error, 'unknown_event')) return longest(due.map((mark) => this.afterFailure(mark, error)))
      this.together = false
      return null
    }
  }

  /** What was refused for good is not sent again. */
  private afterFailure(due: Due, error: unknown): number | null {
    if (isPassing(error)) return error.retryAfterMs ?? RETRY_MS
    this.settle(due)
    return null
  }
}

const longest = (waits: readonly (number | null)[]): number | null =>
  waits.reduce((most, wait) => (wait === null ? most : Math.max(most ?? 0, wait)), null)
