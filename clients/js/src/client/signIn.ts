/**
 * Ways to sign in, and the tokens of a session, renewed in time.
 *
 * A refresh token is spent by its use. One refresh is under way at a time, and one whose response was lost is repeated
 * with the same token, which the server takes for a while.
 */
import type { Tokens } from '../contracts.js'
import { hasCode, SessionEndedError } from '../errors.js'
import type { TokenSource, TokenWish } from '../http.js'
import type { Http } from './http.js'
import { retrying } from './retrying.js'

/** A token with less left than this is renewed before it is used. */
const MARGIN_MS = 30_000
/** The server takes a repeated refresh for 30 s. */
const REFRESH_FOR_MS = 25_000

/** Return the tokens of a new session, or a token that does not expire. */
export type SignIn = (http: Http) => Promise<Tokens | string>

/** Gets the session's tokens whenever they change, before they are used. */
export type OnTokens = (tokens: Tokens) => void | Promise<void>

const begin = (http: Http, path: string, json: object): Promise<Tokens> =>
  http.call<Tokens>({ method: 'POST', path, json })

const refresh = (http: Http, refreshToken: string): Promise<Tokens> =>
  retrying(() => begin(http, '/v1/auth/refresh', { refresh_token: refreshToken }), REFRESH_FOR_MS)

/** A bot, by its token (`stb_…`). */
export const bot =
  (token: string): SignIn =>
  () =>
    Promise.resolve(token)

export const password =
  (username: string, secret: string, deviceName?: string): SignIn =>
  (http) =>
    begin(http, '/v1/auth/login', { username, password: secret, device_name: deviceName })

/** Register a new user, and sign in. */
export const register =
  (username: string, secret: string, displayName?: string): SignIn =>
  (http) =>
    begin(http, '/v1/auth/register', { username, password: secret, display_name: displayName })

/** A JWT of an issuer that the server trusts: the login of the app that the chat is in. */
export const exchange =
  (token: string, deviceName?: string): SignIn =>
  (http) =>
    begin(http, '/v1/auth/exchange', { token, device_name: deviceName })

export const guest =
  (displayName?: string): SignIn =>
  (http) =>
    begin(http, '/v1/auth/guest', { display_name: displayName })

/** A session from before, by its refresh token, which is spent by this: keep what `onTokens` gets. */
export const resume =
  (refreshToken: string): SignIn =>
  (http) =>
    refresh(http, refreshToken)

/** A token that does not expire: a bot's, or a server key. */
export const fixedToken =
  (token: string): TokenSource =>
  ({ refused } = {}) =>
    refused === token ? Promise.reject(new SessionEndedError('refused')) : Promise.resolve(token)

export class SessionTokens {
  private expiresAt = 0
  private ended: SessionEndedError | null = null
  private renewing: Promise<void> | null = null

  constructor(
    private readonly http: Http,
    private tokens: Tokens,
    private readonly onTokens: OnTokens,
  ) {
    this.take(tokens)
  }

  get current(): Tokens {
    return this.tokens
  }

  readonly token: TokenSource = async (wish = {}) => {
    if (this.renewing === null && this.isSpent(wish))
      this.renewing = this.renew().finally(() => (this.renewing = null))
    await this.renewing
    if (this.ended !== null) throw this.ended
    return this.tokens.access_token
  }

  private isSpent({ refused, marginMs = MARGIN_MS }: TokenWish): boolean {
    if (this.ended !== null) return false
    // A margin that no token can have would renew at each call.
    const margin = Math.min(marginMs, this.tokens.expires_in * 500)
    return this.tokens.access_token === refused || this.expiresAt - Date.now() < margin
  }

  private async renew(): Promise<void> {
    try {
      const tokens = await refresh(this.http, this.tokens.refresh_token)
      await this.onTokens(tokens)
      this.take(tokens)
    } catch (error) {
      if (!hasCode(error, 'invalid_refresh_token')) throw error
      this.ended = new SessionEndedError('refused')
    }
  }

  private take(tokens: Tokens): void {
    this.tokens = tokens
    this.expiresAt = Date.now() + tokens.expires_in * 1000
  }
}
