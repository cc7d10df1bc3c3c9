/**
 * A valid access token, whoever asks.
 *
 * A refresh token can be spent once; showing a spent one ends the session. So one refresh runs at a time, over all tabs
 * (a Web Lock), each begins by reading what is stored (another tab may just have refreshed), and the new pair is stored
 * before anybody uses it.
 */
import axios from 'axios'
import type { Tokens } from '@/contracts'
import { CallError, detailIn } from '@/lib/errors'
import { end } from './session'
import * as storage from './storage'

const LOCK = 'synctalk.refresh'
/** A token with less than this to go is renewed before use. */
const MARGIN_MS = 20_000
const TIMEOUT_MS = 15_000

export interface TokenWish {
  /** The token that a service refused: any other will do. */
  refused?: string
  /** Renew when less than this is left. */
  marginMs?: number
}

export async function accessToken(wish: TokenWish = {}): Promise<string> {
  const stored = storage.read()
  if (stored !== null && suits(stored, wish)) return stored.access_token
  return exclusively(async () => {
    const current = storage.read()
    if (current === null) throw new CallError('unauthenticated', 'Signed out.')
    if (suits(current, wish)) return current.access_token
    const renewed = storage.fromTokens(await renew(current), Date.now())
    storage.write(renewed)
    storage.tell({ type: 'changed' })
    return renewed.access_token
  })
}

const suits = (stored: storage.StoredSession, { refused, marginMs = MARGIN_MS }: TokenWish): boolean =>
  stored.access_token !== refused && stored.expires_at - Date.now() > marginMs

async function renew(stored: storage.StoredSession): Promise<Tokens> {
  try {
    const answer = await axios.post<Tokens>(
      '/v1/auth/refresh',
      { refresh_token: stored.refresh_token },
      { timeout: TIMEOUT_MS },
    )
    return answer.data
  } catch (error) {
    if (!axios.isAxiosError(error)) throw error
    const detail = detailIn(error.response?.data)
    if (detail === null) throw new CallError('network', 'No connection.')
    if (detail.code === 'invalid_refresh_token') end('expired')
    throw CallError.fromDetail(detail)
  }
}

function exclusively<T>(work: () => Promise<T>): Promise<T> {
  // Web Locks exist only in secure contexts; http on another host than localhost has none, and there one tab guards itself.
  if (!('locks' in navigator)) return inTurn(work)
  return navigator.locks.request(LOCK, work) as Promise<T>
}

let turn: Promise<unknown> = Promise.resolve()

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const next = turn.then(work, work)
  turn = next.catch(() => undefined)
  return next
}
