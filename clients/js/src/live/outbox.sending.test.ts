import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { message, storedFile } from '../chat/samples.js'
import { fakeSocket, goLive, newCore, server } from './fakeServer.js'
import { Outbox } from './outbox.js'

vi.mock('socket.io-client', () => ({ io: () => fakeSocket }))

let core: ReturnType<typeof newCore>
let outbox: Outbox

const only = (room: string) => {
  const [item] = core.chat.current.outgoing[room] ?? []
  if (item === undefined) throw new Error('nothing waits')
  return item
}

beforeEach(() => {
  core = newCore()
  outbox = new Outbox(core.chat, core.connection, core.signal)
})

afterEach(() => {
  core.abort.abort()
  server.emitted.length = 0
})

test('much that waits in many conversations__on coming back__goes out a few at a time, all of it', async () => {
  const rooms = Array.from({ length: 30 }, (_, n) => `room-${String(n)}`)
  for (const room of rooms) await outbox.send(room, 'waits')
  goLive(core.connection)
  outbox.pumpAll()
  const sent: string[] = []
  while (sent.length < rooms.length) {
    await vi.waitFor(() => expect(server.emitted.length).toBeGreaterThan(0))
    expect(server.emitted.length).toBeLessThanOrEqual(8)
    for (const { payload, ack } of server.emitted.splice(0)) {
      sent.push(payload.conversation_id ?? '')
      ack(null, { ok: true, message: message(1, 1, { ...payload, sender_id: 'me' }) })
    }
  }
  expect(sent.sort()).toEqual(rooms.sort())
})

test('in flight__is settled by its ack, and cannot be taken back before', async () => {
  goLive(core.connection)
  await outbox.send('room', 'one')
  await vi.waitFor(() => expect(server.emitted).toHaveLength(1))
  const item = only('room')
  expect(outbox.takeBack(item)).toBe(false)
  const done = outbox.settled(item)
  for (const { payload, ack } of server.emitted) {
    ack(null, { ok: true, message: message(1, 1, { ...payload, sender_id: 'me' }) })
  }
  await done
  expect(core.chat.current.outgoing.room).toEqual([])
})

test('refused as too fast__waits as if never tried, so it can be taken back', async () => {
  goLive(core.connection)
  await outbox.send('room', 'one')
  await vi.waitFor(() => expect(server.emitted).toHaveLength(1))
  server.emitted[0]?.ack(null, { ok: false, error: { code: 'rate_limited', message: '', retry_after: 60 } })
  await vi.waitFor(() => expect(only('room').sending.state).toBe('queued'))
  expect(outbox.takeBack(only('room'))).toBe(true)
})

test('a message with files__names them; a forward__names its message and nothing else', async () => {
  goLive(core.connection)
  await outbox.send('room', '', { files: [storedFile({ id: 'one' })] })
  const forward = { conversation_id: 'there', message_id: 'it' }
  await outbox.send('other', 'its words', { files: [storedFile({ id: 'its' })], forward })
  await vi.waitFor(() => expect(server.emitted).toHaveLength(2))
  const [sent, forwarded] = server.emitted.map(({ payload }) => payload)
  expect(sent).toMatchObject({ conversation_id: 'room', body: '', file_ids: ['one'] })
  expect(forwarded).toMatchObject({ conversation_id: 'other', forward })
  expect(Object.keys(forwarded ?? {}).sort()).toEqual(['client_message_id', 'conversation_id', 'forward'])
})
