/**
 * A sign-out that has not reached the server. No script can erase the cookie, so the server is called as soon as possible:
 * with the network, or at the next visit.
 */
import type { Tokens } from '../contracts.js'
import { isPassing } from '../errors.js'
import { request } from '../http.js'
import type { Auth } from './auth.js'
import { BY_COOKIE } from './refresh.js'
import * as storage from './storage.js'

const KEY = 'synctalk.leaving'

export const rememberSignOut = (sessionId: string): void => localStorage.setItem(KEY, sessionId)

/** Retry now, and whenever the network is back. */
export function followPendingSignOut(auth: Auth): void {
  window.addEventListener('online', () => void retrySignOut(auth))
  void retrySignOut(auth)
}

export const retrySignOut = (auth: Auth): Promise<void> =>
  localStorage.getItem(KEY) === null ? Promise.resolve() : auth.cookieLock.run(retryOnce)

async function retryOnce(): Promise<void> {
  const sessionId = localStorage.getItem(KEY)
  // Who signed in meanwhile has the cookie.
  if (sessionId !== null && storage.read() === null) {
    try {
      await endByCookie(sessionId)
    } catch (error) {
      if (isPassing(error)) return
    }
  }
  localStorage.removeItem(KEY)
}

async function endByCookie(sessionId: string): Promise<void> {
  const config = { method: 'POST', url: '/v1/auth/refresh', data: {}, headers: BY_COOKIE }
  const { session_id, access_token } = await request<Tokens>(config)
  if (session_id !== sessionId) return
  await request<void>({ method: 'POST', url: '/v1/auth/logout', headers: BY_COOKIE }, access_token)
}
