/** One call to one origin: every failure is a `CallError`. */
import { CallError, detailIn } from '../errors.js'

const TIMEOUT_MS = 15_000

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>

export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Percent-encoded. */
  path: string
  json?: unknown
  query?: Query
  token?: string
  headers?: Readonly<Record<string, string>>
  signal?: AbortSignal
  timeoutMs?: number
}

export class Http {
  readonly url: string

  constructor(url: string) {
    this.url = url.replace(/\/+$/, '')
  }

  /** Return the JSON of the response; undefined where it is empty. */
  async call<T>(call: Call): Promise<T> {
    const { method = 'GET', path, json, query, token, headers } = call
    const response = await this.fetch(this.address(path, query), {
      ...call,
      init: {
        method,
        headers: {
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        body: json === undefined ? null : JSON.stringify(json),
      },
    })
    return response as T
  }

  /** Send bytes to an address that the server named. */
  async send(
    address: string,
    init: { method: string; headers: Record<string, string>; body: Blob },
    signal?: AbortSignal,
  ): Promise<void> {
    await this.fetch(new URL(address, `${this.url}/`), { init, signal, timeoutMs: 0 })
  }

  private address(path: string, query: Query = {}): URL {
    const address = new URL(this.url + path)
    for (const [name, value] of Object.entries(query)) {
      if (value === null || value === undefined) continue
      for (const one of Array.isArray(value) ? (value as string[]) : [value])
        address.searchParams.append(name, String(one))
    }
    return address
  }

  private async fetch(
    address: URL,
    {
      init,
      signal,
      timeoutMs = TIMEOUT_MS,
    }: { init: RequestInit; signal?: AbortSignal | undefined; timeoutMs?: number },
  ): Promise<unknown> {
    const ends = [signal, timeoutMs > 0 ? AbortSignal.timeout(timeoutMs) : undefined]
    const either = AbortSignal.any(ends.filter((end) => end !== undefined))
    try {
      const response = await fetch(address, { ...init, signal: either })
      const text = await response.text()
      if (response.ok) return bodyOf(response, text)
      throw refusal(response, text)
    } catch (error) {
      if (error instanceof CallError) throw error
      const isLate = error instanceof DOMException && error.name === 'TimeoutError'
      throw isLate
        ? new CallError('timeout', 'No response in time.')
        : new CallError('network', signal?.aborted === true ? 'This client was closed.' : 'No connection.')
    }
  }
}

function bodyOf(response: Response, text: string): unknown {
  const isJson = response.headers.get('Content-Type')?.includes('json') === true
  if (!isJson || text === '') return undefined
  return JSON.parse(text) as unknown
}

function refusal(response: Response, text: string): CallError {
  let detail = null
  try {
    detail = detailIn(JSON.parse(text))
  } catch {
    // It is of something between us and the services.
  }
  return detail === null
    ? new CallError('unavailable', `Status ${response.status}.`)
    : CallError.fromDetail(detail)
}
