import 'fake-indexeddb/auto'
import axios from 'axios'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Conversation, Tokens } from '../contracts.js'
import { Auth } from '../auth/auth.js'
import { conversation, user } from '../chat/samples.js'
import { fakeSocket, server } from './fakeServer.js'
import { LiveSession } from './session.js'

vi.mock('socket.io-client', () => ({ io: () => fakeSocket }))

/** A request that waits for its response. */
interface Pending {
  url: URL
  token: string | null
  isAborted: () => boolean
  respond: (body: object, status?: number) => void
}

let pending: Pending[]
let auth: Auth
let live: LiveSession

const tokensOf = (name: string): Tokens => ({
  access_token: `token-of-${name}`,
  refresh_token: '',
  token_type: 'Bearer',
  expires_in: 900,
  session_id: `session-of-${name}`,
  user: user(name),
})

/** Responds when the test says so, also to who has aborted, as a network that is slower than a click. */
function slowFetch(input: Request | string | URL, init?: RequestInit): Promise<Response> {
  const request = input instanceof Request ? input : new Request(input, init)
  return new Promise((resolve) => {
    pending.push({
      url: new URL(request.url),
      token: request.headers.get('authorization'),
      isAborted: () => request.signal.aborted,
      respond: (body, status = 200) =>
        resolve(
          new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } }),
        ),
    })
  })
}

function signIn(name: string): LiveSession {
  auth.begin(tokensOf(name))
  const session = new LiveSession(auth, name, `session-of-${name}`)
  session.start()
  return session
}

async function nextRequest(): Promise<Pending> {
  await vi.waitFor(() => expect(pending).not.toEqual([]))
  return pending.shift() as Pending
}

const page = (
  id: string,
  next_cursor: string | null,
): { items: Conversation[]; next_cursor: string | null } => ({
  items: [conversation(1, { id, title: id })],
  next_cursor,
})

beforeEach(() => {
  localStorage.clear()
  pending = []
  vi.stubGlobal('fetch', slowFetch)
  axios.defaults.adapter = 'fetch'
  axios.defaults.baseURL = 'http://synctalk.test'
  axios.defaults.env = { ...axios.defaults.env, fetch: slowFetch }
  auth = new Auth()
  live = signIn('ada')
})

afterEach(() => {
  live.stop()
  server.emitted.length = 0
  vi.unstubAllGlobals()
})

test('signed out while the list loads__signed in as another__nothing of the first user appears', async () => {
  const first = live
  ;(await nextRequest()).respond(page('of-ada-1', 'more'))
  await vi.waitFor(() => expect(Object.keys(first.chat.current.threads)).toEqual(['of-ada-1']))
  const slow = await nextRequest()
  first.stop()
  auth.leave('session-of-ada')

  live = signIn('ben')
  expect(slow.isAborted()).toBe(true)
  const own = await nextRequest()
  slow.respond(page('of-ada-2', 'more'))
  own.respond(page('of-ben', null))
  await vi.waitFor(() => expect(live.chat.current.listed).toBe(true))
  expect(own.token).toBe('Bearer token-of-ben')
  ;(await nextRequest()).respond({ items: [], next_cursor: null })
  expect(Object.keys(live.chat.current.threads)).toEqual(['of-ben'])
  expect(Object.keys(first.chat.current.threads)).toEqual(['of-ada-1'])
  expect(pending).toEqual([])
})

test('a session that was replaced__calls again__is not given the token of the next user', async () => {
  const first = live
  const slow = await nextRequest()
  live = signIn('ben')
  await nextRequest()
  slow.respond({ error: { code: 'token_expired', message: '' } }, 401)
  await expect(first.rest.call({ url: '/v1/users/me' })).rejects.toMatchObject({ code: 'unauthenticated' })
  expect(pending).toEqual([])
  first.stop()
})

test('stopped__what its timers would have done__is not done', async () => {
  const first = live
  await nextRequest()
  vi.useFakeTimers()
  first.freshness.wantUser('eve')
  first.presence.want(['eve'])
  first.typing.typed('room')
  first.drafts.saveSoon('room', 'secret')
  first.stop()
  await vi.advanceTimersByTimeAsync(60_000)
  vi.useRealTimers()
  expect(pending).toEqual([])
  expect(server.emitted).toEqual([])
  expect(localStorage.getItem('synctalk.drafts.ada')).toBeNull()
})

test('sync:required__a change comes before the sync is sent__it is from what was known', async () => {
  ;(await nextRequest()).respond(page('room', null))
  await vi.waitFor(() => expect(Object.keys(live.chat.current.threads)).toEqual(['room']))
  const syncs = () => server.emitted.filter(({ event }) => event === 'sync')
  const known = { id: 'room', last_seq: 0, change_seq: 1 }
  server.send('ready', { connection_id: 'one', conversations: [known], more: false })
  server.send('sync:required', { conversation_ids: ['room'] })
  await vi.waitFor(() => expect(syncs()).toHaveLength(1))

  server.send('sync:required', { conversation_ids: ['room'] })
  const change = { user_id: 'bob', role: 'member', muted_until: null, change_seq: 2 }
  server.send('member:changed', { conversation_id: 'room', ...change })
  const state = { messages: [], members: [], conversation: conversation(1), change_seq: 1, more: false }
  syncs()[0]?.ack(null, { ok: true, conversations: { room: state } })

  await vi.waitFor(() => expect(syncs()).toHaveLength(2))
  expect(live.chat.thread('room').progress?.upTo).toBe(2)
  expect(syncs()[1]?.payload).toEqual({ cursors: { room: 1 } })
})
