import type { ChatStore } from '../chat/store.js'
import { Timer } from '../timing.js'
import type { Connection } from './connection.js'

/** What the server allows one socket. */
const MAX_USERS = 200
const SETTLE_MS = 60
const RETRY_MS = 5_000

/**
 * Subscribes to the presence of exactly the users that some view shows. Views want users and later no longer; the
 * difference is sent to the server, and all of it again after a reconnect.
 */
export class PresenceSubscriptions {
  private readonly wanted = new Map<string, number>()
  private readonly timer: Timer
  private readonly retry: Timer
  private subscribed = new Set<string>()

  constructor(
    private readonly chat: ChatStore,
    private readonly connection: Connection,
    signal: AbortSignal,
  ) {
    this.timer = new Timer(signal)
    this.retry = new Timer(signal)
  }

  /** Subscribe to these users until the returned function is called. */
  want(ids: readonly string[]): () => void {
    for (const id of ids) this.wanted.set(id, (this.wanted.get(id) ?? 0) + 1)
    this.settle()
    return () => {
      for (const id of ids) {
        const left = (this.wanted.get(id) ?? 1) - 1
        if (left > 0) this.wanted.set(id, left)
        else this.wanted.delete(id)
      }
      this.settle()
    }
  }

  /** Subscribe to everybody again: a new connection has no subscriptions. */
  resubscribeAll(): void {
    this.subscribed = new Set()
    this.settle()
  }

  /** Subscribe to these users again: they share a conversation with us only now, and were hidden before. */
  resubscribe(userIds: readonly string[]): void {
    for (const id of userIds) this.subscribed.delete(id)
    this.settle()
  }

  private settle(): void {
    this.timer.start(SETTLE_MS, () => void this.sendDifference())
  }

  private async sendDifference(): Promise<void> {
    if (!this.connection.isLive) return
    // The latest come first when there are too many: they are what is being looked at.
    const next = new Set([...this.wanted.keys()].reverse().slice(0, MAX_USERS))
    const gone = [...this.subscribed].filter((id) => !next.has(id))
    const added = [...next].filter((id) => !this.subscribed.has(id))
    this.subscribed = next
    if (gone.length > 0) this.connection.notify('presence:unsubscribe', { user_ids: gone })
    if (added.length === 0) return
    try {
      const { items } = await this.connection.request('presence:subscribe', { user_ids: added })
      this.chat.dispatch(...items.map((presence) => ({ type: 'presence' as const, presence })))
    } catch {
      for (const id of added) this.subscribed.delete(id)
      if (this.connection.isLive) this.retry.start(RETRY_MS, () => this.settle())
    }
  }
}
