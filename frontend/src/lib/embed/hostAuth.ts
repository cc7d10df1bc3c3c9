/**
 * Who is signed in within a page that embeds us. The page is asked at the beginning and whenever the token is about to end;
 * tokens are in memory only. Whom the page does not know is a guest, who stays the same one for as long as the page lives.
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { EndReason, Tokens, User } from '@synctalk/client/contracts'
import type { AuthState, SessionAuth } from '@synctalk/client/auth/auth'
import { deviceName } from '@synctalk/client/auth/device'
import { CallError, hasCode } from '@synctalk/client/errors'
import { request, type TokenWish } from '@synctalk/client/http'
import type { Given } from './messages'

/** A token with less than this to go is renewed before use. */
const MARGIN_MS = 20_000

interface Access {
  token: string
  expiresAt: number
}

const post = (url: string, data: object): Promise<Tokens> => request<Tokens>({ method: 'POST', url, data })

/** Whether trying again does not help: the user has to sign in on the page. */
export const isRefusal = (error: unknown): boolean =>
  hasCode(error, 'forbidden', 'unauthenticated', 'token_expired', 'invalid_refresh_token')

export class HostAuth implements SessionAuth {
  readonly state: StoreApi<AuthState> = createStore(() => ({
    state: 'signed_out',
    ended: null,
    username: null,
  }))
  private access: Access | null = null
  private guestToken: string | null = null
  private renewing: Promise<void> | null = null

  constructor(private readonly ask: () => Promise<Given>) {}

  /** Sign in as whoever the page says. */
  enter(): Promise<void> {
    this.renewing ??= this.renew().finally(() => {
      this.renewing = null
    })
    return this.renewing
  }

  /** Return a valid token of the user who has been signed in since `sessionId`; each answer of the page is a session. */
  async accessToken({ refused, marginMs = MARGIN_MS }: TokenWish = {}, sessionId?: string): Promise<string> {
    const known = this.known(sessionId)
    if (known !== null && known.token !== refused && known.expiresAt - Date.now() > marginMs)
      return known.token
    await this.enter()
    const renewed = this.known(sessionId)
    if (renewed === null || renewed.token === refused) throw new CallError('unauthenticated', 'Signed out.')
    return renewed.token
  }

  end(reason: EndReason): void {
    this.access = null
    this.guestToken = null
    this.state.setState({ state: 'signed_out', ended: reason, username: null }, true)
  }

  rename(user: User): void {
    const current = this.state.getState()
    if (current.state === 'signed_in' && current.user.id === user.id)
      this.state.setState({ ...current, user }, true)
  }

  private known(sessionId?: string): Access | null {
    const current = this.state.getState()
    const isSame =
      current.state === 'signed_in' && (sessionId === undefined || current.sessionId === sessionId)
    return isSame ? this.access : null
  }

  private async renew(): Promise<void> {
    try {
      const given = await this.ask()
      const at = Date.now()
      this.take(await this.tokensFor(given), at)
    } catch (error) {
      if (isRefusal(error)) this.end('expired')
      throw error
    }
  }

  private async tokensFor(given: Given): Promise<Tokens> {
    if (given === 'failed') throw new CallError('unavailable', 'The page could not get a token.')
    if (given === 'nobody') return this.guestTokens()
    this.guestToken = null
    if ('access_token' in given) return given
    return post('/v1/auth/exchange', { token: given.token, device_name: deviceName(navigator.userAgent) })
  }

  private async guestTokens(): Promise<Tokens> {
    const tokens = await (this.guestToken === null
      ? post('/v1/auth/guest', {})
      : post('/v1/auth/refresh', { refresh_token: this.guestToken }))
    this.guestToken = tokens.refresh_token
    return tokens
  }

  private take({ access_token: token, session_id, user, expires_in }: Tokens, at: number): void {
    this.access = { token, expiresAt: at + expires_in * 1000 }
    const current = this.state.getState()
    const isSame = current.state === 'signed_in' && current.user.id === user.id
    const sessionId = isSame ? current.sessionId : session_id
    this.state.setState({ state: 'signed_in', user, sessionId }, true)
  }
}
