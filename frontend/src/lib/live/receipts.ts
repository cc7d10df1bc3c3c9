/**
 * Telling the server what was delivered and read. Marks only rise and come in bursts, so per conversation the highest of
 * a short while is sent, and again after a reconnect if it was not acked.
 */
import { dispatch, threadOf, useChat } from '@/lib/chat/store'
import { isPassing } from '@/lib/errors'
import { ask, isLive } from '@/lib/socket'

const COALESCE_MS = 150
/** A mark that was refused for a passing reason is said again after this. */
const RETRY_MS = 2_000

interface Mark {
  seq: number
  acked: number
}

type Kind = 'receipt:delivered' | 'receipt:read'

const marks: Record<Kind, Map<string, Mark>> = { 'receipt:delivered': new Map(), 'receipt:read': new Map() }
let timer: ReturnType<typeof setTimeout> | undefined

export function markDelivered(conversationId: string, seq: number): void {
  raise('receipt:delivered', conversationId, seq)
}

/** Seen by the person: unread falls at once, here as there. */
export function markRead(conversationId: string, seq: number): void {
  const { me } = useChat.getState()
  if (me === null) return
  const held = threadOf(conversationId).marks[me]?.read_seq ?? 0
  if (seq <= held) return
  dispatch({
    type: 'receipt',
    conversation_id: conversationId,
    user_id: me,
    delivered_seq: seq,
    read_seq: seq,
  })
  raise('receipt:read', conversationId, seq)
}

/** What is known of these conversations has reached this device. */
export function markKnownDelivered(ids: Iterable<string>): void {
  const { me } = useChat.getState()
  if (me === null) return
  for (const id of ids) {
    const { snapshot, top, marks: held } = threadOf(id)
    const seq = Math.max(top, snapshot?.last_seq ?? 0)
    if (snapshot !== null && seq > (held[me]?.delivered_seq ?? 0)) markDelivered(id, seq)
  }
}

/** After a reconnect: what had no answer is said again. */
export function repeatReceipts(): void {
  schedule()
}

export function forgetReceipts(): void {
  clearTimeout(timer)
  timer = undefined
  marks['receipt:delivered'].clear()
  marks['receipt:read'].clear()
}

function raise(kind: Kind, conversationId: string, seq: number): void {
  const held = marks[kind].get(conversationId)
  if (held !== undefined && held.seq >= seq) return
  marks[kind].set(conversationId, { seq, acked: held?.acked ?? 0 })
  schedule()
}

function schedule(afterMs = COALESCE_MS): void {
  timer ??= setTimeout(() => {
    timer = undefined
    flush('receipt:read')
    flush('receipt:delivered')
  }, afterMs)
}

function flush(kind: Kind): void {
  for (const [conversation_id, mark] of marks[kind]) {
    const { seq, acked } = mark
    const impliedByRead =
      kind === 'receipt:delivered' && (marks['receipt:read'].get(conversation_id)?.seq ?? 0) >= seq
    if (seq <= acked || impliedByRead || !isLive()) continue
    ask(kind, { conversation_id, seq }).then(
      () => (mark.acked = Math.max(mark.acked, seq)),
      (error: unknown) => {
        if (isPassing(error)) schedule(RETRY_MS)
      },
    )
  }
}
