/**
 * The one socket of this tab, and the state of the connection.
 *
 * The stock client speaks the protocol; when to come back is decided here, so that each state has a name, the wait can be
 * cut short when the network or the person returns, and a refused token is renewed first. `live` means that the server
 * has said `ready`: from then on nothing is missed.
 */
import { io, type Socket } from 'socket.io-client'
import { create } from 'zustand'
import type { EndReason, Message, Presence, SyncAnswer, ToClientEvents, ToServerEvents } from '@/contracts'
import { backoffMs } from './backoff'
import { CallError, detailIn, hasCode } from './errors'
import { accessToken } from './session/refresh'
import { end } from './session/session'

export type ConnectionState =
  | { state: 'off' }
  | { state: 'connecting' }
  | { state: 'live'; connectionId: string }
  /** Lost, or never reached; trying again. */
  | { state: 'waiting'; attempt: number; since: number }

export const useConnection = create<ConnectionState>(() => ({ state: 'off' }))
const become = (state: ConnectionState): void => useConnection.setState(state, true)
export const isLive = (): boolean => useConnection.getState().state === 'live'

/** What each ack carries beside `ok`. */
interface Acks {
  'message:send': { message: Message }
  'message:edit': { message: Message }
  'message:delete': { message: Message }
  'reaction:add': { message: Message }
  'reaction:remove': { message: Message }
  'presence:subscribe': { items: Presence[] }
  sync: SyncAnswer
  'auth:refresh': { expires_at: string }
}

type AckOf<E extends keyof ToServerEvents> = E extends keyof Acks ? Acks[E] : object

/** One event from the server, told apart by its name. */
export type Heard = {
  [E in keyof ToClientEvents]: { event: E; payload: ToClientEvents[E] }
}[keyof ToClientEvents]
type Listener = (heard: Heard) => void

const ACK_TIMEOUT_MS = 10_000
const CONNECT_TIMEOUT_MS = 10_000
/** From the first try to `ready`; a gateway that hangs is left for another. */
const READY_TIMEOUT_MS = 15_000
/** How long before its end a token is renewed when the server says that it is ending. */
const EXPIRING_MARGIN_MS = 120_000

let socket: Socket | null = null
let attempt = 0
let timer: ReturnType<typeof setTimeout> | undefined
let refusedToken: string | undefined
let lastToken: string | undefined
const listeners = new Set<Listener>()

export function onEvent(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function open(): void {
  if (socket !== null) return
  attempt = 0
  socket = io({
    path: '/socket.io/',
    transports: ['websocket', 'polling'],
    // Where websockets are blocked the fallback must be tried on the first connection too.
    tryAllTransports: true,
    reconnection: false,
    autoConnect: false,
    timeout: CONNECT_TIMEOUT_MS,
    auth: (give) => {
      accessToken(refusedToken === undefined ? {} : { refused: refusedToken }).then(
        (token) => {
          lastToken = token
          give({ token })
        },
        (error: unknown) => couldNotConnect(error),
      )
    },
  })
  socket.on('connect_error', (error) => couldNotConnect(refusal(error) ?? error))
  socket.on('disconnect', (reason) => {
    if (reason !== 'io client disconnect') comeBack()
  })
  socket.onAny((event: string, payload: unknown) => hear({ event, payload } as Heard))
  window.addEventListener('online', wake)
  window.addEventListener('offline', lost)
  document.addEventListener('visibilitychange', wake)
  connect()
}

export function close(): void {
  clearTimeout(timer)
  window.removeEventListener('online', wake)
  window.removeEventListener('offline', lost)
  document.removeEventListener('visibilitychange', wake)
  socket?.offAny().off()
  socket?.disconnect()
  socket = null
  refusedToken = undefined
  become({ state: 'off' })
}

/** Emit, and wait for the answer. Fails with `CallError`: `network` when not live, `timeout` when no answer comes. */
export async function ask<E extends keyof ToServerEvents>(
  event: E,
  payload: ToServerEvents[E],
  timeoutMs = ACK_TIMEOUT_MS,
): Promise<AckOf<E>> {
  if (socket === null || !isLive()) throw new CallError('network', 'Not connected.')
  const asked = socket
  const answer = await new Promise<unknown>((resolve, reject) => {
    const whenLost = (): void => reject(new CallError('network', 'The connection was lost.'))
    asked.once('disconnect', whenLost)
    asked.timeout(timeoutMs).emit(event, payload, (error: Error | null, ack: unknown) => {
      asked.off('disconnect', whenLost)
      if (error === null) resolve(ack)
      else reject(new CallError('timeout', 'No answer in time.'))
    })
  })
  const detail = detailIn(answer)
  if (detail !== null) throw CallError.fromDetail(detail)
  return answer as AckOf<E>
}

/** Emit what may be lost: a failure is nobody's concern. */
export function say<E extends keyof ToServerEvents>(event: E, payload: ToServerEvents[E]): void {
  if (isLive()) ask(event, payload).catch(() => undefined)
}

function hear(heard: Heard): void {
  if (heard.event === 'ready') {
    clearTimeout(timer)
    attempt = 0
    refusedToken = undefined
    become({ state: 'live', connectionId: heard.payload.connection_id })
  }
  if (heard.event === 'session:expiring') void renew()
  if (heard.event === 'session:ended') return sessionEnded(heard.payload.reason)
  for (const listener of listeners) listener(heard)
}

/** The socket goes on with the new token; should that fail, it ends and comes back with a fresh one. */
async function renew(): Promise<void> {
  try {
    const token = await accessToken({ marginMs: EXPIRING_MARGIN_MS })
    await ask('auth:refresh', { token })
  } catch {
    // The server will say `session:ended` with `expired`, which is handled there.
  }
}

function sessionEnded(reason: EndReason): void {
  if (reason !== 'expired') {
    close()
    end(reason)
    return
  }
  refusedToken = lastToken
}

function connect(): void {
  clearTimeout(timer)
  if (socket === null || socket.connected) return
  if (useConnection.getState().state !== 'waiting') become({ state: 'connecting' })
  timer = setTimeout(comeBack, READY_TIMEOUT_MS)
  socket.connect()
}

function refusal(error: unknown): CallError | null {
  const data = typeof error === 'object' && error !== null && 'data' in error ? error.data : null
  const detail = detailIn(data)
  return detail === null ? null : CallError.fromDetail(detail)
}

function couldNotConnect(error: unknown): void {
  if (socket === null) return
  if (hasCode(error, 'invalid_refresh_token')) return close()
  if (hasCode(error, 'token_expired', 'unauthenticated')) {
    const first = refusedToken === undefined
    refusedToken = lastToken
    return comeBack(first ? 0 : undefined)
  }
  comeBack(error instanceof CallError ? error.retryAfterMs : undefined)
}

function comeBack(afterMs = backoffMs(attempt)): void {
  if (socket === null) return
  socket.disconnect()
  const current = useConnection.getState()
  attempt += 1
  become({ state: 'waiting', attempt, since: current.state === 'waiting' ? current.since : Date.now() })
  clearTimeout(timer)
  timer = setTimeout(connect, afterMs)
}

/** The network, or the person, is back: no need to wait on. */
function wake(): void {
  if (
    useConnection.getState().state === 'waiting' &&
    document.visibilityState === 'visible' &&
    navigator.onLine
  ) {
    connect()
  }
}

/** The machine says that it has no network: no need to wait for the ping to fail. */
function lost(): void {
  if (isLive()) comeBack()
}
