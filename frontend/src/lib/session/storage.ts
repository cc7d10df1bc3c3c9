/**
 * The session as it is kept between visits and shared between tabs.
 *
 * It lives in localStorage: what one tab writes, the next read in any tab sees. Another tab is told through a
 * BroadcastChannel, so that it can take up a new sign-in or show why its session ended.
 */
import type { EndReason, Tokens, User } from '@/contracts'

const KEY = 'synctalk.session'
const CHANNEL = 'synctalk.session'

export interface StoredSession {
  access_token: string
  refresh_token: string
  session_id: string
  user: User
  /** By this machine's clock, in milliseconds. */
  expires_at: number
}

export type SessionNews = { type: 'changed' } | { type: 'ended'; reason: EndReason; session_id: string }

export const fromTokens = (tokens: Tokens, now: number): StoredSession => ({
  access_token: tokens.access_token,
  refresh_token: tokens.refresh_token,
  session_id: tokens.session_id,
  user: tokens.user,
  expires_at: now + tokens.expires_in * 1000,
})

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

const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(CHANNEL)

export const tell = (news: SessionNews): void => channel?.postMessage(news)

export function listen(heard: (news: SessionNews) => void): () => void {
  const onMessage = (event: MessageEvent<SessionNews>): void => heard(event.data)
  channel?.addEventListener('message', onMessage)
  return () => channel?.removeEventListener('message', onMessage)
}
