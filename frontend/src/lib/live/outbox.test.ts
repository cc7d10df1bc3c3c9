import 'fake-indexeddb/auto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startChat, useChat } from '@/lib/chat/store'
import { closeOutbox, discard, eraseOutbox, openOutbox, send, unsentCount } from './outbox'

const bodies = (): string[] => (useChat.getState().outgoing.room ?? []).map((item) => item.body)
const ids = (): string[] => (useChat.getState().outgoing.room ?? []).map((item) => item.client_message_id)

/** What a reload does: the page's memory is gone, the storage stays. */
async function reload(): Promise<void> {
  closeOutbox()
  startChat('me')
  await openOutbox('me')
}

beforeEach(async () => {
  startChat('me')
  await openOutbox('me')
})

afterEach(() => eraseOutbox('me'))

test('written while offline__after a reload__there again, in order, with the same ids', async () => {
  for (const body of ['one', 'two', 'three']) await send('room', body)
  const before = ids()
  await reload()
  expect(bodies()).toEqual(['one', 'two', 'three'])
  expect(ids()).toEqual(before)
})

test('let go__after a reload__gone for good', async () => {
  await send('room', 'one')
  await send('room', 'two')
  const [first] = useChat.getState().outgoing.room ?? []
  if (first !== undefined) await discard(first)
  await reload()
  expect(bodies()).toEqual(['two'])
  expect(unsentCount()).toBe(1)
})

test('signed out__another person at this machine__finds nothing', async () => {
  await send('room', 'for nobody else')
  await eraseOutbox('me')
  startChat('me')
  await openOutbox('me')
  expect(unsentCount()).toBe(0)
})

test('written before the storage was open__after a reload__there', async () => {
  closeOutbox()
  const opening = openOutbox('me')
  await send('room', 'early')
  await opening
  await reload()
  expect(bodies()).toEqual(['early'])
})
