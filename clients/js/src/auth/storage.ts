/**
 * Who is signed in, as it is stored between visits and shared between tabs: no secret. The refresh token is in a cookie
 * that no script can read, the access token in memory. In localStorage, so what one tab writes the next read in any tab
 * returns.
 */
import type { User } from '../contracts.js'

const KEY = 'synctalk.session'

export interface StoredSession {
  session_id: string
  user: User
  /** Left by an earlier client; the next refresh moves it into the cookie. */
  refresh_token?: string
}

export function read(): StoredSession | null {
  const text = localStorage.getItem(KEY)
  if (text === null) return null
  try {
    return JSON.parse(text) as StoredSession
  } catch {
    return null
  }
}

export const write = (session: StoredSession): void => localStorage.setItem(KEY, JSON.stringify(session))
export const clear = (): void => localStorage.removeItem(KEY)
