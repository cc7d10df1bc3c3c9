/** REST calls: the bearer token on each, one refresh when it is refused, every failure a `CallError`. */
import axios, { type AxiosError, type AxiosRequestConfig } from 'axios'
import { CallError, detailIn, hasCode } from './errors.js'

const TIMEOUT_MS = 15_000

function toCallError(error: unknown): unknown {
  if (!axios.isAxiosError(error)) return error
  const { response, code } = error as AxiosError
  const detail = detailIn(response?.data)
  if (detail !== null) return CallError.fromDetail(detail)
  if (code === 'ECONNABORTED' || code === 'ETIMEDOUT') return new CallError('timeout', 'No response in time.')
  if (response !== undefined) return new CallError('unavailable', `Status ${response.status}.`)
  return new CallError('network', 'No connection.')
}

/** Make a call, without signing in unless a token is given. */
export async function request<T>(config: AxiosRequestConfig, token: string | null = null): Promise<T> {
  const headers = token === null ? config.headers : { ...config.headers, Authorization: `Bearer ${token}` }
  try {
    return (await axios.request<T>({ timeout: TIMEOUT_MS, ...config, headers })).data
  } catch (error) {
    throw toCallError(error)
  }
}

export interface TokenWish {
  /** The token that a service refused: any other will do. */
  refused?: string
  /** Renew when less than this is left. */
  marginMs?: number
}

export type TokenSource = (wish?: TokenWish) => Promise<string>

export interface Page<T> {
  items: T[]
  next_cursor: string | null
}

/** Calls as one signed-in user. When `signal` aborts, calls in flight fail and no other is made. */
export class Rest {
  constructor(
    private readonly token: TokenSource,
    private readonly signal: AbortSignal,
  ) {}

  call<T>(config: AxiosRequestConfig): Promise<T> {
    return this.withToken((token) => this.once<T>(config, token))
  }

  /** Read bytes. Where they lie in another origin, the response is from there, and its address works without a token for a while. */
  open(url: string): Promise<Response> {
    return this.withToken((token) => this.openOnce(url, token))
  }

  /** Send bytes to an address that needs no token. */
  async upload(config: AxiosRequestConfig): Promise<void> {
    await this.once<void>({ timeout: 0, ...config }, null)
  }

  /** Read a list page by page, `maxPages` at most; the first page may be known already. */
  async *pages<T>(
    url: string,
    params: Record<string, unknown>,
    maxPages: number,
    first: Page<T> | null = null,
  ): AsyncGenerator<T[]> {
    let cursor: string | null = null
    for (let count = 0; count < maxPages; count += 1) {
      const config = { url, params: { ...params, ...(cursor === null ? {} : { cursor }) } }
      const page: Page<T> = count === 0 && first !== null ? first : await this.call<Page<T>>(config)
      this.refuseIfAborted()
      yield page.items
      cursor = page.next_cursor
      if (cursor === null) return
    }
  }

  private async withToken<T>(call: (token: string) => Promise<T>): Promise<T> {
    const token = await this.token()
    try {
      return await call(token)
    } catch (error) {
      if (!hasCode(error, 'token_expired', 'unauthenticated')) throw error
      return await call(await this.token({ refused: token }))
    }
  }

  private async openOnce(url: string, token: string): Promise<Response> {
    this.refuseIfAborted()
    const headers = { Authorization: `Bearer ${token}` }
    const response = await fetch(url, { headers, signal: this.signal }).catch(() => {
      throw new CallError('network', 'No connection.')
    })
    if (response.ok) return response
    const detail = detailIn(await response.json().catch(() => null))
    throw detail === null
      ? new CallError('unavailable', `Status ${response.status}.`)
      : CallError.fromDetail(detail)
  }

  private async once<T>(config: AxiosRequestConfig, token: string | null): Promise<T> {
    this.refuseIfAborted()
    const { signal } = config
    const either = signal === undefined ? this.signal : AbortSignal.any([this.signal, signal as AbortSignal])
    const data = await request<T>({ ...config, signal: either }, token)
    // The response may have been on its way to us when the session ended.
    this.refuseIfAborted()
    return data
  }

  private refuseIfAborted(): void {
    if (this.signal.aborted) throw new CallError('network', 'This session has ended.')
  }
}
