/**
 * Messages on their way, kept in IndexedDB until the server has acked them.
 *
 * They go out in the order they were written, one at a time in each conversation, each always with the same
 * `client_message_id`, so that a repeat (after a lost answer, a reconnect, a reload) is the same message to the server.
 * A tab sends what was written in it. What a closed tab left behind is taken over by one that lives: each tab holds a lock
 * with its name for as long as it is open, and whoever gets that lock inherits.
 */
import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from 'idb'
import { backoffMs, sleep } from '@/lib/backoff'
import type { Outgoing } from '@/lib/chat/state'
import { dispatch, useChat } from '@/lib/chat/store'
import { CallError, isPassing } from '@/lib/errors'
import { freshId } from '@/lib/ids'
import { ask, isLive } from '@/lib/socket'

interface Row {
  client_message_id: string
  conversation_id: string
  body: string
  reply_to: string | null
  created_at: string
  /** Rises with each message written: the order to send in. */
  position: number
  /** The tab that sends it. */
  tab: string
  failed: string | null
}

/** Passing failures while connected, after which a message is shown as failed and waits for the person. */
const MAX_TRIES = 8

interface OutboxSchema extends DBSchema {
  rows: { key: string; value: Row; indexes: { position: number } }
}

type OutboxDatabase = IDBPDatabase<OutboxSchema>

const databaseName = (userId: string): string => `synctalk.outbox.${userId}`

const openDatabase = (userId: string): Promise<OutboxDatabase> =>
  openDB<OutboxSchema>(databaseName(userId), 1, {
    upgrade(created) {
      created.createObjectStore('rows', { keyPath: 'client_message_id' }).createIndex('position', 'position')
    },
    // Another tab erases it, because the person signed out: let go, or it waits for ever.
    blocking(_current, _wanted, event) {
      ;(event.target as IDBDatabase).close()
    },
  })

const TAB = freshId()
/** Null where there is no IndexedDB: messages then live as long as the page. */
let database: OutboxDatabase | null = null
let openFor: string | null = null
let position = 0
const sending = new Set<string>()
const unkept: Row[] = []

const lockName = (tab: string): string => `synctalk.tab.${tab}`

/** Take up what an earlier visit left, and hold this tab's name. */
export async function openOutbox(userId: string): Promise<void> {
  openFor = userId
  holdName()
  const opened = await openDatabase(userId)
  if (openFor !== userId) return opened.close()
  database = opened
  const rows = await rowsIn(opened)
  position = Math.max(position, Date.now(), ...rows.map((row) => row.position))
  for (const tab of new Set(rows.map((row) => row.tab))) {
    if (tab === TAB) resume(rows.filter((row) => row.tab === TAB))
    else inherit(opened, tab)
  }
  // What was written before the database was there.
  for (const row of unkept.splice(0)) await opened.put('rows', row)
}

export function closeOutbox(): void {
  openFor = null
  database?.close()
  database = null
  unkept.length = 0
  sending.clear()
}

/** Forget everything that was not sent; for who signs out. */
export async function eraseOutbox(userId: string): Promise<void> {
  closeOutbox()
  await deleteDB(databaseName(userId))
}

/** Show it at once, keep it, send it as soon as may be. */
export async function send(
  conversationId: string,
  body: string,
  replyTo: string | null = null,
): Promise<void> {
  position = Math.max(position + 1, Date.now())
  const row: Row = {
    client_message_id: freshId(),
    conversation_id: conversationId,
    body,
    reply_to: replyTo,
    created_at: new Date().toISOString(),
    position,
    tab: TAB,
    failed: null,
  }
  show(row)
  await keep(row)
  void pump(conversationId)
}

export async function retry(item: Outgoing): Promise<void> {
  dispatch({ type: 'outgoing', item: { ...item, sending: { state: 'queued' } } })
  await note(item.client_message_id, null)
  void pump(item.conversation_id)
}

export async function discard(item: Outgoing): Promise<void> {
  const { conversation_id, client_message_id } = item
  dispatch({ type: 'withdrawn', conversation_id, client_message_id })
  await forget(client_message_id)
}

/** The connection is back. */
export function pumpAll(): void {
  for (const id of Object.keys(useChat.getState().outgoing)) void pump(id)
}

export const unsentCount = (): number =>
  Object.values(useChat.getState().outgoing).reduce((count, items) => count + items.length, 0)

function holdName(): void {
  if (!('locks' in navigator)) return
  // Held until the tab is closed: the promise never settles.
  void navigator.locks.request(lockName(TAB), { ifAvailable: true }, (lock) =>
    lock === null ? undefined : new Promise<never>(() => undefined),
  )
}

const rowsIn = (opened: OutboxDatabase): Promise<Row[]> => opened.getAllFromIndex('rows', 'position')

// A storage that fails (full, or taken away) costs only that the message does not outlive the page: it is sent all the same.

async function keep(row: Row): Promise<void> {
  if (database === null) unkept.push(row)
  else await database.put('rows', row).catch(() => undefined)
}

async function forget(clientMessageId: string): Promise<void> {
  const at = unkept.findIndex((row) => row.client_message_id === clientMessageId)
  if (at >= 0) unkept.splice(at, 1)
  await database?.delete('rows', clientMessageId).catch(() => undefined)
}

async function note(clientMessageId: string, failed: string | null): Promise<void> {
  const row = await database?.get('rows', clientMessageId).catch(() => undefined)
  if (row !== undefined) await database?.put('rows', { ...row, failed }).catch(() => undefined)
}

function inherit(from: OutboxDatabase, tab: string): void {
  const take = async (): Promise<void> => {
    if (database !== from) return
    const rows = (await rowsIn(from)).filter((row) => row.tab === tab)
    for (const row of rows) await from.put('rows', { ...row, tab: TAB })
    resume(rows)
  }
  if ('locks' in navigator) void navigator.locks.request(lockName(tab), take)
  else void take()
}

function resume(rows: readonly Row[]): void {
  for (const row of rows) show(row)
  for (const row of rows) void pump(row.conversation_id)
}

function show(row: Row): void {
  const { client_message_id, conversation_id, body, reply_to, created_at, failed } = row
  const sendingState =
    failed === null ? { state: 'queued' as const } : { state: 'failed' as const, reason: failed }
  dispatch({
    type: 'outgoing',
    item: { client_message_id, conversation_id, body, reply_to, created_at, sending: sendingState },
  })
}

const nextIn = (conversationId: string): Outgoing | undefined =>
  useChat.getState().outgoing[conversationId]?.find((item) => item.sending.state !== 'failed')

async function pump(conversationId: string): Promise<void> {
  if (sending.has(conversationId)) return
  sending.add(conversationId)
  try {
    for (
      let tries = 0, item = nextIn(conversationId);
      item !== undefined && isLive();
      item = nextIn(conversationId)
    ) {
      tries = (await sendOne(item, tries)) ? 0 : tries + 1
    }
  } finally {
    sending.delete(conversationId)
  }
}

/** True when it is settled, one way or the other. */
async function sendOne(item: Outgoing, tries: number): Promise<boolean> {
  const { conversation_id, client_message_id, body, reply_to } = item
  dispatch({ type: 'outgoing', item: { ...item, sending: { state: 'sending' } } })
  try {
    const { message } = await ask('message:send', {
      conversation_id,
      client_message_id,
      body,
      ...(reply_to === null ? {} : { reply_to }),
    })
    dispatch({ type: 'message', message })
    await forget(client_message_id)
    return true
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    if (!isLive() || (isPassing(error) && tries < MAX_TRIES)) {
      await sleep(error.retryAfterMs ?? backoffMs(tries))
      return false
    }
    await fail(item, error)
    return true
  }
}

async function fail(item: Outgoing, error: CallError): Promise<void> {
  dispatch({ type: 'outgoing', item: { ...item, sending: { state: 'failed', reason: error.code } } })
  await note(item.client_message_id, error.code)
}
