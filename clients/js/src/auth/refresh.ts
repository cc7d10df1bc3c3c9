import type { Tokens } from '../contracts.js'
import { request } from '../http.js'

/** The refresh token travels in a cookie that no script can read. */
export const BY_COOKIE = { 'X-Synctalk-Refresh': 'cookie' }

const LOCK = 'synctalk.refresh'

/** Refresh by the cookie, or by a refresh token that an earlier client stored. */
export const refreshTokens = (refreshToken?: string): Promise<Tokens> =>
  request<Tokens>({
    method: 'POST',
    url: '/v1/auth/refresh',
    data: refreshToken === undefined ? {} : { refresh_token: refreshToken },
    headers: BY_COOKIE,
  })

/** Runs what changes the cookie, one at a time over all tabs: a late response would put an older cookie back. */
export class CookieLock {
  private last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    // Web Locks exist only in secure contexts; http on a host other than localhost has none, and each tab guards itself.
    if ('locks' in navigator) return navigator.locks.request(LOCK, work) as Promise<T>
    const next = this.last.then(work, work)
    this.last = next.catch(() => undefined)
    return next
  }
}
