import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import axios from 'axios'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Tokens } from '../contracts.js'
import { user } from '../chat/samples.js'
import type { TokenWish } from '../http.js'
import { Auth } from './auth.js'
import { SessionChannel } from './channel.js'
import * as storage from './storage.js'

/** A small auth service, and the browser's cookie beside it: each refresh token is good once. */
let server: Server
let cookie: string
let spent: string[]
let asked: IncomingHttpHeaders[]
let answers: { status: number; code: string } | null
let sessionId: string
let auth: Auth
let stopFollowing = (): void => undefined

const tokens = (n: number): Tokens => ({
  access_token: `access-${String(n)}`,
  refresh_token: '',
  token_type: 'Bearer',
  expires_in: 900,
  session_id: sessionId,
  user: user('ada'),
})

beforeEach(async () => {
  spent = []
  asked = []
  answers = null
  sessionId = 'session'
  cookie = 'refresh-1'
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      asked.push(request.headers)
      const shown = (JSON.parse(body) as { refresh_token?: string }).refresh_token ?? cookie
      const refused =
        answers ?? (spent.includes(shown) ? { status: 401, code: 'invalid_refresh_token' } : null)
      spent.push(shown)
      if (refused === null) cookie = `refresh-${String(spent.length + 1)}`
      response.writeHead(refused?.status ?? 200, { 'content-type': 'application/json' })
      const error = { error: { code: refused?.code, message: 'no' } }
      response.end(JSON.stringify(refused === null ? tokens(spent.length + 1) : error))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  axios.defaults.adapter = 'http'
  axios.defaults.baseURL = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  reload()
  auth.begin(tokens(1))
})

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve))
  stopFollowing()
  storage.clear()
  delete window.synctalkEarly
})

/** What a reload does: the page's memory is gone, the storage stays. */
function reload(): void {
  stopFollowing()
  auth = new Auth()
  stopFollowing = auth.followOtherTabs()
}

/** Renew the token in another tab. */
async function renewElsewhere(access: {
  session_id: string
  expires_at: number
  token: string
}): Promise<void> {
  const before = auth['access']
  new SessionChannel().publish({ type: 'renewed', access })
  await vi.waitFor(() => expect(auth['access']).not.toBe(before))
}

const expire = (): Promise<void> =>
  renewElsewhere({ token: 'access-1', session_id: 'session', expires_at: Date.now() })

const ten = (wish: TokenWish = {}): Promise<string[]> =>
  Promise.all(Array.from({ length: 10 }, () => auth.accessToken(wish)))

describe('accessToken', () => {
  test('a valid one is returned without a call', async () => {
    expect(await auth.accessToken()).toBe('access-1')
    expect(spent).toEqual([])
  })

  test('after a reload, which remembers none: one refresh by the cookie, and all get the new one', async () => {
    reload()
    expect(new Set(await ten())).toEqual(new Set(['access-2']))
    expect(spent).toEqual(['refresh-1'])
    expect(asked[0]?.['x-synctalk-refresh']).toBe('cookie')
  })

  test('ten at once when it has expired: one refresh, and all get the new one', async () => {
    await expire()
    expect(new Set(await ten())).toEqual(new Set(['access-2']))
    expect(spent).toEqual(['refresh-1'])
  })

  test('ten whose token was refused: one refresh, for the nine find another by then', async () => {
    expect(new Set(await ten({ refused: 'access-1' }))).toEqual(new Set(['access-2']))
    expect(spent).toEqual(['refresh-1'])
  })

  test('what is stored holds no token, before and after', async () => {
    for (const wish of [{}, { refused: 'access-1' }]) {
      await auth.accessToken(wish)
      expect(storage.read()).toEqual({ session_id: 'session', user: user('ada') })
    }
  })

  test('the page asked for it while it was loading: no second call', async () => {
    reload()
    window.synctalkEarly = {
      userId: 'ada',
      renewed: Promise.resolve({ tokens: tokens(7), at: Date.now() }),
    }
    expect(new Set(await ten())).toEqual(new Set(['access-7']))
    expect(spent).toEqual([])
  })

  test('what the page asked for while loading did not come: asked for anew', async () => {
    reload()
    window.synctalkEarly = { userId: 'ada', renewed: Promise.resolve(null) }
    expect(await auth.accessToken()).toBe('access-2')
  })

  test('a refresh token that an earlier client stored: used once, then nowhere', async () => {
    reload()
    localStorage.setItem(
      'synctalk.session',
      JSON.stringify({ ...storage.read(), access_token: 'a', refresh_token: 'from storage', expires_at: 1 }),
    )
    expect(await auth.accessToken()).toBe('access-2')
    expect(await auth.accessToken({ refused: 'access-2' })).toBe('access-3')
    expect(spent).toEqual(['from storage', 'refresh-2'])
    expect(storage.read()).toEqual({ session_id: 'session', user: user('ada') })
  })

  test('the cookie is of another sign-in: nothing is called as that user, who is shown from now on', async () => {
    sessionId = 'another'
    await expect(auth.accessToken({ refused: 'access-1' })).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(auth.state.getState()).toMatchObject({ state: 'signed_in', sessionId: 'another' })
    expect(await auth.accessToken()).toBe('access-2')
  })

  test('a token that another tab has for another session is not given', async () => {
    await renewElsewhere({ token: 'of another', session_id: 'another', expires_at: Date.now() + 900_000 })
    expect(await auth.accessToken()).toBe('access-2')
  })

  test('a spent refresh token ends the session and says so', async () => {
    await expire()
    spent.push('refresh-1')
    await expect(auth.accessToken()).rejects.toMatchObject({ code: 'invalid_refresh_token' })
    expect(auth.state.getState()).toMatchObject({ state: 'signed_out', ended: 'expired' })
    expect(storage.read()).toBeNull()
  })

  test('a server that is not there for now ends nothing', async () => {
    await expire()
    answers = { status: 503, code: 'unavailable' }
    await expect(auth.accessToken()).rejects.toMatchObject({ code: 'unavailable' })
    expect(storage.read()?.session_id).toBe('session')
  })
})
