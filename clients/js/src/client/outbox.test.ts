/** What is stored is sent once and in order, by whichever run. */
import { beforeEach, expect, test, vi } from 'vitest'
import { message as sample } from '../chat/samples.js'
import type { Message } from '../contracts.js'
import { CallError, SessionEndedError } from '../errors.js'
import { Outbox, type OnRefused, type OutboxStore, type OutgoingMessage } from './outbox.js'
import { Turns } from './turns.js'

const REFUSAL = new CallError('forbidden', 'No.')

/** The server by what it does with a message; what it has got. */
const deliver = vi.fn<(message: OutgoingMessage) => Promise<Message>>()
const onRefused = vi.fn<OnRefused>()
let stored: Map<string, OutgoingMessage>

const store: OutboxStore = {
  load: () => Promise.resolve([...stored.values()]),
  put: (message) => Promise.resolve(void stored.set(message.client_message_id, message)),
  remove: (id) => Promise.resolve(void stored.delete(id)),
}

const written = (id: string, room = 'room', sender = 'me'): OutgoingMessage => ({
  client_message_id: id,
  conversation_id: room,
  sender_id: sender,
  body: id,
})

const left = (...messages: OutgoingMessage[]): void => messages.forEach((each) => void store.put(each))

async function begun(from: OutboxStore = store): Promise<Outbox> {
  const outbox = new Outbox(from, new Turns(), deliver, onRefused)
  await outbox.open('me')
  return outbox
}

const sent = (): string[] => deliver.mock.calls.map(([message]) => message.body)

beforeEach(() => {
  stored = new Map()
  deliver.mockReset().mockResolvedValue(sample(1, 1))
  onRefused.mockReset()
})

test('a message is stored before it is sent, and removed once it is acked', async () => {
  const outbox = await begun()
  const during: string[][] = []
  deliver.mockImplementation(() => {
    during.push([...stored.keys()])
    return Promise.resolve(sample(1, 1))
  })
  await outbox.send(written('one'))
  expect(during).toEqual([['one']])
  expect([...stored.keys()]).toEqual([])
})

test('what was left goes out in its order, before newer messages of its conversation', async () => {
  left(written('one'), written('two'))
  const outbox = await begun()
  await Promise.all([outbox.send(written('three')), outbox.send(written('elsewhere', 'other'))])
  expect(sent().filter((body) => body !== 'elsewhere')).toEqual(['one', 'two', 'three'])
  expect(stored.size).toBe(0)
})

test('a conversation does not wait for another one', async () => {
  left(written('stuck'))
  deliver.mockImplementationOnce(() => new Promise(() => undefined))
  const outbox = await begun()
  await outbox.send(written('elsewhere', 'other'))
  expect([...stored.keys()]).toEqual(['stuck'])
})

test('a refused message of this run is thrown and removed; the next one goes out', async () => {
  const outbox = await begun()
  deliver.mockRejectedValueOnce(REFUSAL)
  const [refused, next] = [outbox.send(written('one')), outbox.send(written('two'))]
  await expect(refused).rejects.toBe(REFUSAL)
  await next
  expect(stored.size).toBe(0)
  expect(onRefused).not.toHaveBeenCalled()
})

test('a refused message of an earlier run is reported before it is removed', async () => {
  left(written('one'), written('two'))
  deliver.mockRejectedValueOnce(REFUSAL)
  const storedThen: boolean[] = []
  onRefused.mockImplementation(() => void storedThen.push(stored.has('one')))
  const outbox = await begun()
  await outbox.flush()
  expect(onRefused.mock.calls).toEqual([[written('one'), REFUSAL]])
  expect(storedThen).toEqual([true])
  expect(sent()).toEqual(['one', 'two'])
  expect(stored.size).toBe(0)
})

test.each([
  ['the session is over', new SessionEndedError('revoked')],
  ['the client was closed', new CallError('network', 'This client was closed.')],
  ['the token is refused', new CallError('unauthenticated', 'Who?')],
])('where %s, all stays for the next run', async (_, error) => {
  left(written('one'), written('two'))
  deliver.mockRejectedValue(error)
  const outbox = await begun()
  await expect(outbox.send(written('three'))).rejects.toBe(error)
  await expect(outbox.flush()).rejects.toBe(error)
  expect(sent()).toEqual(['one'])
  expect(onRefused).not.toHaveBeenCalled()

  deliver.mockReset().mockResolvedValue(sample(1, 1))
  await (await begun()).flush()
  expect(sent()).toEqual(['one', 'two', 'three'])
})

test('the id of a message that is under way is that message', async () => {
  left(written('one'))
  const outbox = await begun()
  const again = [outbox.send(written('one')), outbox.send(written('one'))]
  expect(await Promise.all(again)).toEqual([sample(1, 1), sample(1, 1)])
  expect(sent()).toEqual(['one'])
})

test('what another user left stays', async () => {
  left(written('theirs', 'room', 'ada'), written('mine'))
  await (await begun()).flush()
  expect(sent()).toEqual(['mine'])
  expect([...stored.keys()]).toEqual(['theirs'])
})

test('what cannot be stored is not sent; what cannot be removed is no failure', async () => {
  const full = new Error('No space.')
  const put = vi.fn((message: OutgoingMessage) => store.put(message)).mockRejectedValueOnce(full)
  const outbox = await begun({ ...store, put, remove: () => Promise.reject(full) })
  const [failed, next] = [outbox.send(written('one')), outbox.send(written('two'))]
  await expect(failed).rejects.toBe(full)
  await next
  expect(sent()).toEqual(['two'])
})
