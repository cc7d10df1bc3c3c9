/**
 * The one socket of a session, and the state of the connection.
 *
 * The stock client implements the protocol; when to reconnect is decided here, so that each state has a name, the wait can be
 * cut short when the network or the user returns, and a refused token is renewed first. `live` means that the server has
 * sent `ready`: from then on nothing is missed.
 */
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { createStore, type StoreApi } from 'zustand/vanilla'
import type {
  EndReason,
  ErrorDetail,
  Message,
  Presence,
  SyncAnswer,
  ToClientEvents,
  ToServerEvents,
} from '../contracts.js'
import { CallError, detailIn, hasCode, isPassing, SessionEndedError } from '../errors.js'
import type { TokenSource } from '../http.js'
import { backoffMs, Timer } from '../timing.js'

export type ConnectionState =
  | { state: 'off' }
  | { state: 'connecting' }
  | { state: 'live'; connectionId: string }
  /** Lost, or never established; retrying. */
  | { state: 'waiting'; attempt: number; since: number }

/** What each ack carries beside `ok`. */
interface Acks {
  receipts: { failed: Record<string, ErrorDetail> }
  'message:send': { message: Message }
  'message:edit': { message: Message }
  'message:delete': { message: Message }
  'reaction:add': { message: Message }
  'reaction:remove': { message: Message }
  'presence:subscribe': { items: Presence[] }
  'message:stream:append': { at: number }
  sync: SyncAnswer
  'auth:refresh': { expires_at: string }
}

export type AckOf<E extends keyof ToServerEvents> = E extends keyof Acks ? Acks[E] : object

/** One event from the server, distinguished by its name. */
export type ServerEvent = {
  [E in keyof ToClientEvents]: { event: E; payload: ToClientEvents[E] }
}[keyof ToClientEvents]
type Listener = (event: ServerEvent) => void

const ACK_TIMEOUT_MS = 10_000
const CONNECT_TIMEOUT_MS = 10_000
/** From the first try to `ready`; a gateway that hangs is left for another. */
const READY_TIMEOUT_MS = 15_000
/** How long before its expiry a token is renewed when the server warns of it. */
const EXPIRING_MARGIN_MS = 120_000

/** Where it connects to; by default the page's own origin, in whatever way works. */
export interface ConnectionOptions {
  url?: string
  transports?: ('websocket' | 'polling')[]
  /** The server refuses the connection for good. By default it is tried again and again. */
  onRefused?: (error: CallError) => void
}

export class Connection {
  readonly state: StoreApi<ConnectionState> = createStore(() => ({ state: 'off' }))
  private readonly listeners = new Set<Listener>()
  private readonly timer: Timer
  private socket: Socket | null = null
  private attempt = 0
  private refusedToken: string | undefined
  private lastToken: string | undefined
  private drainMs: number | undefined
  /** There is none in Node. */
  private readonly page = typeof window === 'undefined' ? null : window

  /** `onEnded`: the session is over, for another reason than an expired token. */
  constructor(
    private readonly token: TokenSource,
    private readonly onEnded: (reason: SessionEndedError['reason']) => void,
    private readonly signal: AbortSignal,
    private readonly options: ConnectionOptions = {},
  ) {
    this.timer = new Timer(signal)
    signal.addEventListener('abort', this.close)
  }

  get isLive(): boolean {
    return this.state.getState().state === 'live'
  }

  subscribe(listener: Listener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  open(): void {
    if (this.socket !== null || this.signal.aborted) return
    this.attempt = 0
    const { url, transports = ['websocket', 'polling'] } = this.options
    const options: Partial<ManagerOptions & SocketOptions> = {
      path: '/socket.io/',
      transports,
      forceNew: true,
      // Where websockets are blocked the fallback must be tried on the first connection too.
      tryAllTransports: true,
      reconnection: false,
      autoConnect: false,
      timeout: CONNECT_TIMEOUT_MS,
      auth: (give) => {
        this.token(this.refusedToken === undefined ? {} : { refused: this.refusedToken }).then(
          (token) => {
            this.lastToken = token
            give({ token })
          },
          (error: unknown) => this.connectFailed(error),
        )
      },
    }
    const socket = url === undefined ? io(options) : io(url, options)
    this.socket = socket
    socket.on('connect_error', (error) => this.connectFailed(refusalIn(error) ?? error))
    socket.on('disconnect', (reason) => {
      if (reason !== 'io client disconnect') this.reconnect(this.drainMs)
    })
    socket.onAny((event: string, payload: unknown) => this.receive({ event, payload } as ServerEvent))
    this.page?.addEventListener('online', this.wake)
    this.page?.addEventListener('offline', this.networkLost)
    this.page?.document.addEventListener('visibilitychange', this.wake)
    this.connect()
  }

  readonly close = (): void => {
    this.timer.clear()
    this.page?.removeEventListener('online', this.wake)
    this.page?.removeEventListener('offline', this.networkLost)
    this.page?.document.removeEventListener('visibilitychange', this.wake)
    this.socket?.offAny().off()
    this.socket?.disconnect()
    this.socket = null
    this.refusedToken = undefined
    this.become({ state: 'off' })
  }

  /** Emit and wait for the ack. Fails with `CallError`: `network` when not live, `timeout` when no ack comes. */
  async request<E extends keyof ToServerEvents>(
    event: E,
    payload: ToServerEvents[E],
    timeoutMs = ACK_TIMEOUT_MS,
  ): Promise<AckOf<E>> {
    const { socket } = this
    if (socket === null || !this.isLive) throw new CallError('network', 'Not connected.')
    const ack = await new Promise<unknown>((resolve, reject) => {
      const stop = (): void => {
        socket.off('disconnect', onLost)
        this.signal.removeEventListener('abort', onLost)
      }
      const onLost = (): void => {
        stop()
        reject(new CallError('network', 'The connection was lost.'))
      }
      socket.once('disconnect', onLost)
      this.signal.addEventListener('abort', onLost)
      socket.timeout(timeoutMs).emit(event, payload, (error: Error | null, received: unknown) => {
        stop()
        if (error === null) resolve(received)
        else reject(new CallError('timeout', 'No ack in time.'))
      })
    })
    const detail = detailIn(ack)
    if (detail !== null) throw CallError.fromDetail(detail)
    return ack as AckOf<E>
  }

  /** Emit what may be lost. */
  notify<E extends keyof ToServerEvents>(event: E, payload: ToServerEvents[E]): void {
    if (this.isLive) this.request(event, payload).catch(() => undefined)
  }

  private become(state: ConnectionState): void {
    this.state.setState(state, true)
  }

  private receive(event: ServerEvent): void {
    if (event.event === 'ready') {
      this.timer.clear()
      this.attempt = 0
      this.refusedToken = undefined
      this.become({ state: 'live', connectionId: event.payload.connection_id })
    }
    if (event.event === 'server:draining') this.drainMs = Math.random() * event.payload.reconnect_in_ms
    if (event.event === 'session:expiring') void this.renew()
    if (event.event === 'session:ended') return this.sessionEnded(event.payload.reason)
    for (const listener of this.listeners) listener(event)
  }

  /** The socket goes on with the new token; should that fail, it ends and reconnects with a fresh one. */
  private async renew(): Promise<void> {
    try {
      const { lastToken: refused } = this
      const wish = { marginMs: EXPIRING_MARGIN_MS, ...(refused === undefined ? {} : { refused }) }
      const token = await this.token(wish)
      await this.request('auth:refresh', { token })
      this.lastToken = token
    } catch {
      // The server will send `session:ended` with `expired`, which is handled there.
    }
  }

  private sessionEnded(reason: EndReason): void {
    if (reason !== 'expired') {
      this.close()
      this.onEnded(reason)
      return
    }
    this.refusedToken = this.lastToken
  }

  private connect(): void {
    this.timer.clear()
    if (this.socket === null || this.socket.connected) return
    if (this.state.getState().state !== 'waiting') this.become({ state: 'connecting' })
    this.timer.start(READY_TIMEOUT_MS, () => this.reconnect())
    this.socket.connect()
  }

  private connectFailed(error: unknown): void {
    if (this.socket === null) return
    if (hasCode(error, 'invalid_refresh_token')) return this.close()
    if (error instanceof SessionEndedError) {
      this.close()
      return this.onEnded(error.reason)
    }
    if (hasCode(error, 'token_expired', 'unauthenticated')) {
      const isFirst = this.refusedToken === undefined
      this.refusedToken = this.lastToken
      return this.reconnect(isFirst ? 0 : undefined)
    }
    const { onRefused } = this.options
    if (error instanceof CallError && !isPassing(error) && onRefused !== undefined) {
      this.close()
      return onRefused(error)
    }
    this.reconnect(error instanceof CallError ? error.retryAfterMs : undefined)
  }

  private reconnect(afterMs = backoffMs(this.attempt)): void {
    if (this.socket === null) return
    this.socket.disconnect()
    this.drainMs = undefined
    const current = this.state.getState()
    this.attempt += 1
    this.become({
      state: 'waiting',
      attempt: this.attempt,
      since: current.state === 'waiting' ? current.since : Date.now(),
    })
    this.timer.restart(afterMs, () => this.connect())
  }

  /** The network, or the user, is back: no need to wait longer. */
  private readonly wake = (): void => {
    const isWaiting = this.state.getState().state === 'waiting'
    if (isWaiting && document.visibilityState === 'visible' && navigator.onLine) this.connect()
  }

  /** The machine reports that it has no network: no need to wait for the ping to fail. */
  private readonly networkLost = (): void => {
    if (this.isLive || this.state.getState().state === 'connecting') this.reconnect()
  }
}

function refusalIn(error: unknown): CallError | null {
  const data = typeof error === 'object' && error !== null && 'data' in error ? error.data : null
  const detail = detailIn(data)
  return detail === null ? null : CallError.fromDetail(detail)
}
