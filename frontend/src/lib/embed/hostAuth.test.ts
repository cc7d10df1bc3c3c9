import axios, { type AxiosRequestConfig } from 'axios'
import { beforeEach, expect, test, vi } from 'vitest'
import type { Tokens } from '@synctalk/client/contracts'
import { user } from '@synctalk/client/chat/samples'
import { HostAuth, isRefusal } from './hostAuth'
import type { Given } from './messages'

let asked: AxiosRequestConfig[]
let answers: Given[]
let count: number
let refused: string | null
let auth: HostAuth

function tokens(name: string, expires_in = 900): Tokens {
  const n = String((count += 1))
  return {
    access_token: `access-${n}`,
    refresh_token: `refresh-${n}`,
    token_type: 'Bearer',
    expires_in,
    session_id: `session-${n}`,
    user: user(name),
  }
}

beforeEach(() => {
  asked = []
  count = 0
  refused = null
  vi.spyOn(axios, 'request').mockImplementation((config) => {
    asked.push(config)
    if (refused !== null) {
      const data = { error: { code: refused, message: 'No.' } }
      return Promise.reject(Object.assign(new Error(), { isAxiosError: true, response: { data } }))
    }
    const guest = config.url !== '/v1/auth/exchange'
    return Promise.resolve({ data: tokens(guest ? 'guest' : 'ada') })
  })
  auth = new HostAuth(() => Promise.resolve(answers.shift() ?? 'failed'))
})

const callsOf = (): unknown[] => asked.map(({ url }) => url)
const sessionId = (): string => {
  const state = auth.state.getState()
  return state.state === 'signed_in' ? state.sessionId : ''
}

test('a JWT is exchanged, once for all who want a token', async () => {
  answers = [{ token: 'a.b.c' }]
  await Promise.all([auth.enter(), auth.enter()])
  expect(callsOf()).toEqual(['/v1/auth/exchange'])
  expect(asked[0]?.data).toMatchObject({ token: 'a.b.c' })
  expect(asked[0]?.headers).toBeUndefined()
  expect(await auth.accessToken({}, sessionId())).toBe('access-1')
})

test('near its end the page is asked again, and the user stays the same', async () => {
  answers = [tokens('ada', 10), { token: 'a.b.c' }]
  await auth.enter()
  const before = sessionId()
  expect(await auth.accessToken({}, before)).toBe('access-2')
  expect(sessionId()).toBe(before)
})

test('a token that was refused is not given again', async () => {
  const same = tokens('ada')
  answers = [same, same]
  await auth.enter()
  await expect(auth.accessToken({ refused: same.access_token }, sessionId())).rejects.toSatisfy(isRefusal)
})

test('whoever came before gets no token of who came after', async () => {
  answers = [tokens('ada'), tokens('ben')]
  await auth.enter()
  const adas = sessionId()
  await auth.enter()
  answers = [tokens('ben')]
  await expect(auth.accessToken({}, adas)).rejects.toSatisfy(isRefusal)
})

test('a guest stays the same one', async () => {
  answers = ['nobody', 'nobody']
  await auth.enter()
  await auth.enter()
  expect(callsOf()).toEqual(['/v1/auth/guest', '/v1/auth/refresh'])
  expect(asked[1]?.data).toEqual({ refresh_token: 'refresh-1' })
})

test('where guests are not allowed one is signed out', async () => {
  answers = [tokens('ada'), 'nobody']
  await auth.enter()
  refused = 'forbidden'
  await expect(auth.enter()).rejects.toSatisfy(isRefusal)
  expect(auth.state.getState().state).toBe('signed_out')
})

test('a page that can’t be asked changes nothing', async () => {
  answers = [tokens('ada')]
  await auth.enter()
  await expect(auth.enter()).rejects.toMatchObject({ code: 'unavailable' })
  expect(auth.state.getState().state).toBe('signed_in')
})
