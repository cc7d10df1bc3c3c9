import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import axios from 'axios'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Tokens } from '@/contracts'
import { person } from '@/lib/chat/samples'
import { accessToken } from './refresh'
import { useSession } from './session'
import * as storage from './storage'

/** An auth service in little: each refresh token is good once. */
let server: Server
let spent: string[]
let answers: { status: number; code: string } | null

const tokens = (n: number): Tokens => ({
  access_token: `access-${String(n)}`,
  refresh_token: `refresh-${String(n)}`,
  token_type: 'Bearer',
  expires_in: 900,
  session_id: 'session',
  user: person('ada'),
})

beforeEach(async () => {
  spent = []
  answers = null
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const { refresh_token } = JSON.parse(body) as { refresh_token: string }
      const refused =
        answers ?? (spent.includes(refresh_token) ? { status: 401, code: 'invalid_refresh_token' } : null)
      spent.push(refresh_token)
      response.writeHead(refused?.status ?? 200, { 'content-type': 'application/json' })
      const error = { error: { code: refused?.code, message: 'no' } }
      response.end(JSON.stringify(refused === null ? tokens(spent.length + 1) : error))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  axios.defaults.adapter = 'http'
  axios.defaults.baseURL = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  storage.write(storage.fromTokens(tokens(1), Date.now()))
})

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve))
  storage.clear()
})

const expire = (): void => {
  const held = storage.read()
  if (held !== null) storage.write({ ...held, expires_at: Date.now() })
}

describe('accessToken', () => {
  test('a good one is given without a call', async () => {
    expect(await accessToken()).toBe('access-1')
    expect(spent).toEqual([])
  })

  test('ten who ask at once for one that has ended: one refresh, and all get the new one', async () => {
    expire()
    const given = await Promise.all(Array.from({ length: 10 }, () => accessToken()))
    expect(new Set(given)).toEqual(new Set(['access-2']))
    expect(spent).toEqual(['refresh-1'])
  })

  test('it is stored before it is given', async () => {
    expire()
    await accessToken().then((token) => expect(storage.read()?.access_token).toBe(token))
  })

  test('ten whose token was refused: one refresh, for the nine find another by then', async () => {
    const given = await Promise.all(Array.from({ length: 10 }, () => accessToken({ refused: 'access-1' })))
    expect(new Set(given)).toEqual(new Set(['access-2']))
    expect(spent).toEqual(['refresh-1'])
  })

  test('a spent refresh token ends the session and says so', async () => {
    expire()
    spent.push('refresh-1')
    await expect(accessToken()).rejects.toMatchObject({ code: 'invalid_refresh_token' })
    expect(useSession.getState()).toMatchObject({ state: 'signed_out', ended: 'expired' })
    expect(storage.read()).toBeNull()
  })

  test('a server that is not there for now ends nothing', async () => {
    expire()
    answers = { status: 503, code: 'unavailable' }
    await expect(accessToken()).rejects.toMatchObject({ code: 'unavailable' })
    expect(storage.read()?.refresh_token).toBe('refresh-1')
  })
})
