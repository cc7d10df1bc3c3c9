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
import type { Receipts } from './receipts.js'

const MAX_CURSORS = 100
/** Acks and events come in no promised order: a gap that closes by itself within this is none. */
const GAP_GRACE_MS = 400

export class Sync {
  /** From where each is synced: what was known when it was wanted. */
  private readonly wanted = new Map<string, number>()
  private readonly gapTimer: Timer
  private running = false

  constructor(
    private readonly chat: ChatStore,
    private readonly connection: Connection,
    private readonly receipts: Receipts,
    private readonly onReset: (conversationId: string) => void,
    private readonly signal: AbortSignal,
  ) {
    this.gapTimer = new Timer(signal)
  }

  /** Sync from what is known now, even if more is known by then: what was before may have changed as well. */
  syncSoon(ids: Iterable<string>): void {
    for (const id of ids) {
      const { progress } = this.chat.thread(id)
      if (progress !== null && !this.wanted.has(id)) this.wanted.set(id, progress.upTo)
    }
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
        const wanted = [...this.wanted].slice(0, MAX_CURSORS)
        for (const [id] of wanted) this.wanted.delete(id)
        try {
          await this.syncOnce(Object.fromEntries(wanted))
          failures = 0
        } catch {
          for (const [id, cursor] of wanted) this.wanted.set(id, cursor)
          await sleep(backoffMs(failures), this.signal)
          failures += 1
        }
      }
    } finally {
      this.running = false
    }
  }

  private async syncOnce(cursors: Record<string, number>): Promise<void> {
    const ack = await this.connection.request('sync', { cursors })
    for (const [id, state] of Object.entries(ack.conversations)) {
      this.chat.dispatch(...changesOf(id, state))
      if (state.more === true) this.syncSoon([id])
      if (state.reset === true) this.onReset(id)
    }
    this.receipts.markKnownDelivered(Object.keys(cursors))
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
