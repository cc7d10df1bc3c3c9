/**
 * Catching up: after a reconnect, on `sync:required`, and when a live event leaves a gap.
 *
 * Ids wait in a set, so a conversation asked for ten times is fetched once. One call is in flight at a time, with as many
 * cursors as the server takes. What does not finish before the connection is lost is asked for again after `ready`.
 */
import type { SyncState } from '@/contracts'
import { backoffMs, sleep } from '@/lib/backoff'
import type { Change } from '@/lib/chat/changes'
import { dispatch, threadOf, useChat } from '@/lib/chat/store'
import { ask, isLive } from '@/lib/socket'
import { markKnownDelivered } from './receipts'

const MAX_CURSORS = 100
/** An ack and the others' events come in no promised order: a gap that closes by itself within this is none. */
const GAP_GRACE_MS = 400

const wanted = new Set<string>()
let running = false
let gapTimer: ReturnType<typeof setTimeout> | undefined

export function syncSoon(ids: Iterable<string>): void {
  for (const id of ids) if (threadOf(id).progress !== null) wanted.add(id)
  if (!running) void run()
}

export function stopSync(): void {
  wanted.clear()
  clearTimeout(gapTimer)
  gapTimer = undefined
}

/** Look for gaps, after the grace. Called whenever a live event was applied. */
export function watchGaps(): void {
  gapTimer ??= setTimeout(() => {
    gapTimer = undefined
    const { threads } = useChat.getState()
    syncSoon(Object.keys(threads).filter((id) => (threads[id]?.progress?.ahead.size ?? 0) > 0))
  }, GAP_GRACE_MS)
}

async function run(): Promise<void> {
  running = true
  try {
    for (let failures = 0; wanted.size > 0 && isLive();) {
      const ids = [...wanted].slice(0, MAX_CURSORS)
      for (const id of ids) wanted.delete(id)
      try {
        await syncOnce(ids)
        failures = 0
      } catch {
        for (const id of ids) wanted.add(id)
        await sleep(backoffMs(failures))
        failures += 1
      }
    }
  } finally {
    running = false
  }
}

async function syncOnce(ids: readonly string[]): Promise<void> {
  const cursors: Record<string, number> = {}
  for (const id of ids) {
    const { progress } = threadOf(id)
    if (progress !== null) cursors[id] = progress.upTo
  }
  const answer = await ask('sync', { cursors })
  for (const [id, state] of Object.entries(answer.conversations)) {
    dispatch(...changesOf(id, state))
    if (state.more === true) wanted.add(id)
  }
  markKnownDelivered(ids)
}

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
