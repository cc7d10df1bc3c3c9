/**
 * The wiring of everything that lives while a person is signed in: socket events become changes, a new connection
 * catches up, and what waits goes out. Started and stopped by the app, once for each session.
 */
import type { Message, Ready } from '@/contracts'
import { backoffMs, sleep } from '@/lib/backoff'
import type { Change } from '@/lib/chat/changes'
import { dispatch, startChat, threadOf, useChat } from '@/lib/chat/store'
import { close, onEvent, open, type Heard } from '@/lib/socket'
import { checkFreshness, forgetFreshness } from './freshness'
import { loadConversation, loadConversations } from './loading'
import { closeOutbox, openOutbox, pumpAll } from './outbox'
import { askAgain, subscribeAgain } from './presence'
import { forgetReceipts, markKnownDelivered, markDelivered, repeatReceipts } from './receipts'
import { stopSync, syncSoon, watchGaps } from './sync'

/** A little more than the server's, whose end of typing is normally heard. */
const TYPING_TTL_MS = 7_000
const CLOCK_MS = 1_000
/** Up to so many conversations that are not known yet are read one by one. */
const FEW = 5

type IncomingHeard = (message: Message) => void
const incomingListeners = new Set<IncomingHeard>()

/** Another's new message, live. */
export function onIncoming(heard: IncomingHeard): () => void {
  incomingListeners.add(heard)
  return () => incomingListeners.delete(heard)
}

export function startLive(me: string): () => void {
  let stopped = false
  startChat(me)
  // Without IndexedDB (some private windows) messages still go out; they only do not outlive the page.
  openOutbox(me).catch(() => undefined)
  const listed = loadUntilListed(() => stopped)
  const stopHearing = onEvent((heard) => {
    if (heard.event === 'ready') void catchUp(heard.payload, listed)
    else hear(heard)
  })
  const clock = setInterval(tick, CLOCK_MS)
  open()
  return () => {
    stopped = true
    stopHearing()
    clearInterval(clock)
    close()
    closeOutbox()
    stopSync()
    forgetReceipts()
    forgetFreshness()
    startChat(null)
  }
}

const missedReceipts = (conversation_ids: readonly string[]): void =>
  dispatch({ type: 'receipts_missed', conversation_ids })

async function loadUntilListed(stopped: () => boolean): Promise<void> {
  for (let attempt = 0; !stopped(); attempt += 1) {
    try {
      return await loadConversations()
    } catch {
      await sleep(backoffMs(attempt))
    }
  }
}

/** After `ready`: everything that may have been missed, and everything that waited. */
async function catchUp(ready: Ready, listed: Promise<void>): Promise<void> {
  missedReceipts(Object.keys(useChat.getState().threads))
  pumpAll()
  subscribeAgain()
  repeatReceipts()
  await listed
  await loadUnknown(ready)
  const { threads } = useChat.getState()
  const told = new Map(ready.conversations.map(({ id, change_seq }) => [id, change_seq]))
  const behind = Object.keys(threads).filter((id) => {
    const { progress, snapshot, removedAt } = threadOf(id)
    if (progress === null || removedAt !== null) return false
    const known = told.get(id) ?? snapshot?.change_seq ?? 0
    return known > progress.upTo || progress.ahead.size > 0 || (!told.has(id) && !ready.more)
  })
  syncSoon(behind)
  markKnownDelivered(Object.keys(useChat.getState().threads))
}

async function loadUnknown(ready: Ready): Promise<void> {
  const unknown = ready.conversations.filter(({ id, change_seq }) => {
    const { snapshot, removedAt } = threadOf(id)
    return snapshot === null && (removedAt === null || change_seq > removedAt)
  })
  // What fails here is loaded when it is looked at, or at the next `ready`.
  if (unknown.length > FEW || ready.more) await loadConversations().catch(() => undefined)
  else await Promise.all(unknown.map(({ id }) => loadConversation(id).catch(() => undefined)))
}

function tick(): void {
  const { typing } = useChat.getState()
  if (Object.values(typing).some((people) => Object.keys(people).length > 0)) {
    dispatch({ type: 'clock', now: Date.now() })
  }
}

function hear(heard: Heard): void {
  const change = changeOf(heard, Date.now())
  if (change !== null) {
    dispatch(change)
    followUp(change)
  }
  if (heard.event === 'conversation:new') missedReceipts([heard.payload.id])
  if (heard.event === 'sync:required') {
    const ids = heard.payload.conversation_ids ?? Object.keys(useChat.getState().threads)
    missedReceipts(ids)
    syncSoon(ids)
  }
  if (heard.event === 'message:new') arrived(heard.payload)
}

/** A live event as a change; null for those that change nothing here. */
export function changeOf(heard: Heard, now: number): Change | null {
  switch (heard.event) {
    case 'message:new':
    case 'message:updated':
    case 'message:deleted':
      return { type: 'message', message: heard.payload }
    case 'conversation:new':
    case 'conversation:updated':
      return { type: 'conversation', conversation: heard.payload, live: true }
    case 'conversation:removed':
      return { type: 'removed', conversation_id: heard.payload.id, change_seq: null }
    case 'member:changed':
      return { type: 'member', ...heard.payload }
    case 'receipt:updated':
      return { type: 'receipt', ...heard.payload }
    case 'typing': {
      const { conversation_id, user_id, active } = heard.payload
      return { type: 'typing', conversation_id, user_id, until: active ? now + TYPING_TTL_MS : null }
    }
    case 'presence:changed':
      return { type: 'presence', presence: heard.payload }
    default:
      return null
  }
}

function followUp(change: Change): void {
  if (change.type === 'message') checkFreshness(change.message.conversation_id)
  else if (change.type === 'conversation') checkFreshness(change.conversation.id)
  else if (change.type === 'member' || change.type === 'receipt') checkFreshness(change.conversation_id)
  if (change.type === 'conversation' && change.conversation.peer !== null)
    askAgain([change.conversation.peer.id])
  if (change.type === 'member' && change.role !== null) askAgain([change.user_id])
  if (change.type === 'message' || change.type === 'member' || change.type === 'conversation') watchGaps()
}

function arrived(message: Message): void {
  const { me } = useChat.getState()
  if (message.sender_id === me) return
  markDelivered(message.conversation_id, message.seq)
  for (const heard of incomingListeners) heard(message)
}
