/**
 * Who is signed in in this browser, and a valid access token for them. One instance for each page.
 *
 * The access token is in memory only. A refresh token can be used once; using it again ends the session. So one refresh
 * runs at a time over all tabs, each begins by looking for a token that another tab has renewed meanwhile, and the new one
 * is stored before anybody uses it. A token is only given to who asks for the session that it belongs to.
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { EndReason, Tokens, User } from '../contracts.js'
import { earlyTokens } from '../early.js'
import { CallError, hasCode } from '../errors.js'
import type { TokenWish } from '../http.js'
import { SessionChannel, type Access, type SessionEvent } from './channel.js'
import { CookieLock, refreshTokens } from './refresh.js'
import * as storage from './storage.js'

/** A token with less than this to go is renewed before use. */
const MARGIN_MS = 20_000

export type AuthState =
  /** `left`: the user signed out; null: nobody was signed in. */
  | { state: 'signed_out'; ended: EndReason | 'left' | null; username: string | null }
  | { state: 'signed_in'; user: User; sessionId: string }

/** What a session needs of who signed in, in our own page or in one that embeds us. */
export type SessionAuth = Pick<Auth, 'state' | 'accessToken' | 'end' | 'rename'>

const stateOf = (stored: storage.StoredSession | null): AuthState =>
  stored === null
    ? { state: 'signed_out', ended: null, username: null }
    : { state: 'signed_in', user: stored.user, sessionId: stored.session_id }

export class Auth {
  readonly state: StoreApi<AuthState> = createStore(() => stateOf(storage.read()))
  readonly cookieLock = new CookieLock()
  private readonly channel = new SessionChannel()
  private access: Access | null = null

  begin(tokens: Tokens): void {
    this.take(tokens, Date.now())
    this.channel.publish({ type: 'changed' })
    this.replaceWith(stateOf(storage.read()))
  }

  /** The server ended the session; the user's drafts stay on this machine. */
  end(reason: EndReason): void {
    const stored = storage.read()
    storage.clear()
    if (stored !== null) this.channel.publish({ type: 'ended', reason, session_id: stored.session_id })
    this.showEnded(reason)
  }

  /** The user signed out of this session; another that was begun meanwhile goes on. */
  leave(sessionId: string): void {
    const stored = storage.read()
    if (stored !== null && stored.session_id !== sessionId) return
    storage.clear()
    this.channel.publish({ type: 'changed' })
    this.replaceWith({ state: 'signed_out', ended: 'left', username: null })
  }

  /** Update the name and picture of the user. */
  rename(user: User): void {
    const stored = storage.read()
    if (stored === null || stored.user.id !== user.id) return
    storage.write({ ...stored, user })
    this.channel.publish({ type: 'changed' })
    this.replaceWith(stateOf({ ...stored, user }))
  }

  followOtherTabs(): () => void {
    return this.channel.subscribe((event) => this.receive(event))
  }

  /** Return a valid token of this session, or of whichever is signed in. */
  async accessToken(wish: TokenWish = {}, sessionId?: string): Promise<string> {
    return (
      this.known(storedSession(sessionId), wish) ??
      this.cookieLock.run(() => this.renewedToken(wish, sessionId))
    )
  }

  private async renewedToken(wish: TokenWish, sessionId?: string): Promise<string> {
    const early = await earlyTokens()
    const current = storedSession(sessionId)
    if (current === null) throw new CallError('unauthenticated', 'Signed out.')
    if (early?.tokens.session_id === current.session_id) this.take(early.tokens, early.at)
    return this.known(current, wish) ?? (await this.renew(current))
  }

  private known(
    stored: storage.StoredSession | null,
    { refused, marginMs = MARGIN_MS }: TokenWish,
  ): string | null {
    const { access } = this
    if (stored === null || access === null || access.session_id !== stored.session_id) return null
    return access.token === refused || access.expires_at - Date.now() <= marginMs ? null : access.token
  }

  private async renew({ session_id, refresh_token }: storage.StoredSession): Promise<string> {
    const at = Date.now()
    const tokens = await refreshTokens(refresh_token).catch((error: unknown) => {
      if (hasCode(error, 'invalid_refresh_token')) this.end('expired')
      throw error
    })
    if (tokens.session_id !== session_id) {
      // The cookie is of another sign-in in this browser: what was to be called is not for that user to call.
      this.begin(tokens)
      throw new CallError('unauthenticated', 'Another user signed in here.')
    }
    this.take(tokens, at)
    return tokens.access_token
  }

  /** Store tokens for all tabs; `at`: when they were requested. */
  private take({ access_token: token, session_id, user, expires_in }: Tokens, at: number): void {
    const access = { token, session_id, expires_at: at + expires_in * 1000 }
    this.access = access
    storage.write({ session_id, user })
    this.channel.publish({ type: 'renewed', access })
  }

  private receive(event: SessionEvent): void {
    if (event.type === 'renewed') {
      this.access = event.access
      return
    }
    const current = this.state.getState()
    if (event.type === 'ended') {
      if (current.state === 'signed_in' && current.sessionId === event.session_id)
        this.showEnded(event.reason)
      return
    }
    const next = stateOf(storage.read())
    if (!isSame(current, next)) this.replaceWith(next)
  }

  private showEnded(reason: EndReason): void {
    const current = this.state.getState()
    const username = current.state === 'signed_in' ? current.user.username : current.username
    this.replaceWith({ state: 'signed_out', ended: reason, username })
  }

  private replaceWith(state: AuthState): void {
    if (state.state === 'signed_out') this.access = null
    this.state.setState(state, true)
  }
}

/** What is stored, if it is this session, or any when none is named. */
function storedSession(sessionId?: string): storage.StoredSession | null {
  const stored = storage.read()
  return sessionId === undefined || stored?.session_id === sessionId ? stored : null
}

/** Why a session ended is not overwritten by another tab's plain sign-out. */
function isSame(a: AuthState, b: AuthState): boolean {
  if (a.state === 'signed_out' || b.state === 'signed_out') return a.state === b.state
  return a.sessionId === b.sessionId && JSON.stringify(a.user) === JSON.stringify(b.user)
}
