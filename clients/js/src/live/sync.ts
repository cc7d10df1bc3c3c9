/**
 * Catches up: after a reconnect, on `sync:required`, and when a live event leaves a gap.
 *
 * Ids wait in a set, so a conversation that is wanted ten times is fetched once. One call is in flight at a time, with as
 * many cursors as the server takes. What does not finish before the connection is lost is wanted again after `ready`.
 */
import type { SyncState } from '../contracts.js'
import type { Change } from '../chat/changes/index.js'
import type { ChatStore } from '../chat/store.js'
import { backoffMs, sleep, Timer } from '../timing.js'
import type { Connection } from './connection.js'
import type { Freshness } from './freshness.js'
import type { Receipts } from './receipts.js'

const MAX_CURSORS = 100
/** Acks and events come in no promised order: a gap that closes by itself within this is none. */
const GAP_GRACE_MS = 400

export class Sync {
  private readonly wanted = new Set<string>()
  private readonly gapTimer: Timer
  private running = false

  constructor(
    private readonly chat: ChatStore,
    private readonly connection: Connection,
    private readonly receipts: Receipts,
    private readonly freshness: Freshness,
    private readonly signal: AbortSignal,
  ) {
    this.gapTimer = new Timer(signal)
  }

  syncSoon(ids: Iterable<string>): void {
    for (const id of ids) if (this.chat.thread(id).progress !== null) this.wanted.add(id)
    if (!this.running) void this.run()
  }

  /** Look for gaps, after the grace. Called whenever a live event was applied. */
  watchGaps(): void {
    this.gapTimer.start(GAP_GRACE_MS, () => {
      const { threads } = this.chat.current
      this.syncSoon(Object.keys(threads).filter((id) => (threads[id]?.progress?.ahead.size ?? 0) > 0))
    })
  }

  private async run(): Promise<void> {
    this.running = true
    try {
      for (let failures = 0; this.wanted.size > 0 && this.connection.isLive;) {
        const ids = [...this.wanted].slice(0, MAX_CURSORS)
        for (const id of ids) this.wanted.delete(id)
        try {
          await this.syncOnce(ids)
          failures = 0
        } catch {
          for (const id of ids) this.wanted.add(id)
          await sleep(backoffMs(failures), this.signal)
          failures += 1
        }
      }
    } finally {
      this.running = false
    }
  }

  private async syncOnce(ids: readonly string[]): Promise<void> {
    const cursors: Record<string, number> = {}
    for (const id of ids) {
      const { progress } = this.chat.thread(id)
      if (progress !== null) cursors[id] = progress.upTo
    }
    const ack = await this.connection.request('sync', { cursors })
    for (const [id, state] of Object.entries(ack.conversations)) {
      this.chat.dispatch(...changesOf(id, state))
      if (state.more === true) this.wanted.add(id)
      // What it is like now, its count of unread messages too, comes with the conversation alone.
      if (state.reset === true) this.freshness.refreshSoon(id)
    }
    this.receipts.markKnownDelivered(ids)
  }
}

/** Return the server's state of one conversation as changes. */
export function changesOf(id: string, state: SyncState): Change[] {
  if (state.removed === true) return [{ type: 'removed', conversation_id: id, change_seq: null }]
  const change_seq = state.change_seq ?? 0
  if (state.reset === true) return [{ type: 'reset', conversation_id: id, change_seq }]
  const { messages, members, conversation } = state
  return [
    { type: 'synced', conversation_id: id, messages: messages ?? [], members: members ?? [], change_seq },
    ...(conversation ? [{ type: 'conversation' as const, conversation }] : []),
  ]
}
