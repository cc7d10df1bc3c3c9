/** The one door to REST: the bearer token on each call, one refresh when it is refused, every failure a `CallError`. */
import axios, { type AxiosError, type AxiosRequestConfig } from 'axios'
import { CallError, detailIn } from './errors'
import { accessToken } from './session/refresh'

const TIMEOUT_MS = 15_000

const client = axios.create({ timeout: TIMEOUT_MS })

function toCallError(error: unknown): unknown {
  if (!axios.isAxiosError(error)) return error
  const { response, code } = error as AxiosError
  const detail = detailIn(response?.data)
  if (detail !== null) return CallError.fromDetail(detail)
  if (code === 'ECONNABORTED' || code === 'ETIMEDOUT') return new CallError('timeout', 'No answer in time.')
  if (response !== undefined) return new CallError('unavailable', `Status ${response.status}.`)
  return new CallError('network', 'No connection.')
}

async function once<T>(config: AxiosRequestConfig, token: string | null): Promise<T> {
  const headers = token === null ? config.headers : { ...config.headers, Authorization: `Bearer ${token}` }
  try {
    return (await client.request<T>({ ...config, headers })).data
  } catch (error) {
    throw toCallError(error)
  }
}

/** A call as the person who is signed in. */
export async function call<T>(config: AxiosRequestConfig): Promise<T> {
  const token = await accessToken()
  try {
    return await once<T>(config, token)
  } catch (error) {
    const refused =
      error instanceof CallError && (error.code === 'token_expired' || error.code === 'unauthenticated')
    if (!refused) throw error
    return once<T>(config, await accessToken({ refused: token }))
  }
}

/** A call before anybody is signed in. */
export const callOpenly = <T>(config: AxiosRequestConfig): Promise<T> => once<T>(config, null)

export interface Page<T> {
  items: T[]
  next_cursor: string | null
}

/** A list's pages one after the other, `maxPages` at most. */
export async function* pages<T>(
  url: string,
  params: Record<string, unknown>,
  maxPages: number,
): AsyncGenerator<T[]> {
  let cursor: string | null = null
  for (let page = 0; page < maxPages; page += 1) {
    const answer: Page<T> = await call<Page<T>>({
      url,
      params: { ...params, ...(cursor === null ? {} : { cursor }) },
    })
    yield answer.items
    cursor = answer.next_cursor
    if (cursor === null) return
  }
}
