import 'fake-indexeddb/auto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { storedFile } from '../chat/samples.js'
import { newCore } from './fakeServer.js'
import { Outbox } from './outbox.js'
import { eraseOutbox } from './outboxDatabase.js'

let core: ReturnType<typeof newCore>
let outbox: Outbox

function begin(): void {
  core = newCore()
  outbox = new Outbox(core.chat, core.connection, core.signal)
}

const bodies = (): string[] => (core.chat.current.outgoing.room ?? []).map((item) => item.body)
const ids = (): string[] => (core.chat.current.outgoing.room ?? []).map((item) => item.client_message_id)

/** What a reload does: the page's memory is gone, the storage stays. */
async function reload(): Promise<void> {
  core.abort.abort()
  begin()
  await outbox.open()
}

beforeEach(async () => {
  begin()
  await outbox.open()
})

afterEach(() => {
  core.abort.abort()
  return eraseOutbox('me')
})

test('written while offline__after a reload__there again, in order, with the same ids', async () => {
  for (const body of ['one', 'two', 'three']) await outbox.send('room', body)
  const before = ids()
  await reload()
  expect(bodies()).toEqual(['one', 'two', 'three'])
  expect(ids()).toEqual(before)
})

test('written with a file__after a reload__still has it', async () => {
  await outbox.send('room', '', { files: [storedFile({ id: 'kept' })] })
  await reload()
  expect(core.chat.current.outgoing.room?.[0]?.files.map(({ id }) => id)).toEqual(['kept'])
})

test('taken back__after a reload__gone for good', async () => {
  await outbox.send('room', 'one')
  await outbox.send('room', 'two')
  const [first] = core.chat.current.outgoing.room ?? []
  expect(first && outbox.takeBack(first)).toBe(true)
  await reload()
  expect(bodies()).toEqual(['two'])
  expect(outbox.unsentCount).toBe(1)
})

test('signed out__another user at this machine__finds nothing', async () => {
  await outbox.send('room', 'for nobody else')
  core.abort.abort()
  await eraseOutbox('me')
  await reload()
  expect(outbox.unsentCount).toBe(0)
})

test('written before the storage was open__after a reload__there', async () => {
  core.abort.abort()
  begin()
  const opening = outbox.open()
  await outbox.send('room', 'early')
  await opening
  await reload()
  expect(bodies()).toEqual(['early'])
})

test('in flight__to take it back__is too late', async () => {
  await outbox.send('room', 'one')
  const [item] = core.chat.current.outgoing.room ?? []
  if (item === undefined) throw new Error('nothing is shown')
  core.chat.dispatch({ type: 'outgoing', item: { ...item, sending: { state: 'sending' } } })
  expect(outbox.takeBack(item)).toBe(false)
  expect(bodies()).toEqual(['one'])
})
