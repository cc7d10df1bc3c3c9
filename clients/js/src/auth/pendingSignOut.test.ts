import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import axios from 'axios'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { user } from '../chat/samples.js'
import { Auth } from './auth.js'
import { rememberSignOut, retrySignOut } from './pendingSignOut.js'
import * as storage from './storage.js'

/** A small auth service: the cookie is of `cookieOf`, and each call is written down. */
let server: Server
let cookieOf: string
let status: number
let calls: string[]
let auth: Auth

beforeEach(async () => {
  cookieOf = 'left'
  status = 200
  calls = []
  server = createServer((request, response) => {
    request.resume()
    const { authorization = '', 'x-synctalk-refresh': mode = '' } = request.headers
    calls.push(`${request.url ?? ''} ${String(mode)} ${authorization}`.trim())
    response.writeHead(status, { 'content-type': 'application/json' })
    const error = { code: status === 401 ? 'invalid_refresh_token' : 'unavailable', message: 'no' }
    const body = status === 200 ? { session_id: cookieOf, access_token: 'access' } : { error }
    response.end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  axios.defaults.adapter = 'http'
  axios.defaults.baseURL = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  auth = new Auth()
})

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve))
  localStorage.clear()
})

const REFRESH = '/v1/auth/refresh cookie'
const LOGOUT = '/v1/auth/logout cookie Bearer access'

test('no sign-out is pending: nothing is called', async () => {
  await retrySignOut(auth)
  expect(calls).toEqual([])
})

test('sent once, however often it is retried', async () => {
  rememberSignOut('left')
  await Promise.all([retrySignOut(auth), retrySignOut(auth)])
  expect(calls).toEqual([REFRESH, LOGOUT])
})

test('the server is still down: sent when it is back', async () => {
  rememberSignOut('left')
  status = 503
  await retrySignOut(auth)
  status = 200
  await retrySignOut(auth)
  expect(calls).toEqual([REFRESH, REFRESH, LOGOUT])
})

test('the session has ended by itself: nothing is left to send', async () => {
  rememberSignOut('left')
  status = 401
  await retrySignOut(auth)
  await retrySignOut(auth)
  expect(calls).toEqual([REFRESH])
})

test('somebody signed in meanwhile: their session is left alone', async () => {
  rememberSignOut('left')
  storage.write({ session_id: 'another', user: user('ben') })
  await retrySignOut(auth)
  storage.clear()
  await retrySignOut(auth)
  expect(calls).toEqual([])
})

test('the cookie is of another session: it is left alone', async () => {
  rememberSignOut('left')
  cookieOf = 'another'
  await retrySignOut(auth)
  expect(calls).toEqual([REFRESH])
})
