import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ackAll, fakeSocket, goLive, newCore, server } from './fakeServer.js'
import { Receipts } from './receipts.js'

vi.mock('socket.io-client', () => ({ io: () => fakeSocket }))

const rooms = (count: number): string[] => Array.from({ length: count }, (_, n) => `room-${String(n)}`)

const ok = () => ({ ok: true, failed: {} })
const refused = (code: string) => ({ ok: false, error: { code, message: '' } })

let core: ReturnType<typeof newCore>
let receipts: Receipts

beforeEach(() => {
  vi.useFakeTimers()
  core = newCore()
  receipts = new Receipts(core.chat, core.connection, core.signal)
  goLive(core.connection)
})

afterEach(() => {
  core.abort.abort()
  server.emitted.length = 0
  vi.useRealTimers()
})

test('marks of many conversations__at once__are one call, and sent once', async () => {
  for (const id of rooms(140)) receipts.markDelivered(id, 3)
  receipts.markRead('room-0', 3)
  const [first, ...others] = await ackAll(ok)
  expect(others).toEqual([])
  expect(first?.event).toBe('receipts')
  expect(Object.keys(first?.payload.delivered ?? {})).toHaveLength(139)
  expect(first?.payload.read).toEqual({ 'room-0': 3 })
  expect(await ackAll(ok)).toEqual([])
})

test('more marks than one call takes__go in several, one after the other', async () => {
  for (const id of rooms(600)) receipts.markDelivered(id, 1)
  const sizes: number[] = []
  for (let calls = await ackAll(ok); calls.length > 0; calls = await ackAll(ok)) {
    expect(calls).toHaveLength(1)
    sizes.push(Object.keys(calls[0]?.payload.delivered ?? {}).length)
  }
  expect(sizes).toEqual([500, 100])
})

test('a server that does not know the call__gets single events, never more than a few dozen at a time', async () => {
  for (const id of rooms(60)) receipts.markDelivered(id, 1)
  await ackAll(() => refused('unknown_event'))
  const sizes: number[] = []
  for (let calls = await ackAll(ok); calls.length > 0; calls = await ackAll(ok)) {
    expect(new Set(calls.map(({ event }) => event))).toEqual(new Set(['receipt:delivered']))
    sizes.push(calls.length)
  }
  expect(sizes).toEqual([24, 24, 12])
})

test('of those that failed__only what may pass is sent again', async () => {
  for (const id of rooms(3)) receipts.markDelivered(id, 1)
  const failed = { 'room-0': { code: 'unavailable' }, 'room-1': { code: 'not_found' } }
  await ackAll(() => ({ ok: true, failed }))
  const resent = await ackAll(ok)
  expect(resent).toMatchObject([
    { event: 'receipt:delivered', payload: { conversation_id: 'room-0', seq: 1 } },
  ])
  expect(await ackAll(ok)).toEqual([])
})
