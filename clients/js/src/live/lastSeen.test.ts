import 'fake-indexeddb/auto'
import { afterEach, expect, test, vi } from 'vitest'
import { conversation, ME, message, ROOM, user } from '../chat/samples.js'
import { ChatStore } from '../chat/store.js'
import { eraseLastSeen, keepLastSeen, restoreLastSeen } from './lastSeen.js'

const SESSION = 'session-of-me'

/** A store that shows the newest 60 messages, and knows all changes up to 70. */
function used(): ChatStore {
  const chat = new ChatStore(ME)
  const messages = Array.from({ length: 60 }, (_, n) => message(n + 1, n + 1))
  chat.dispatch(
    { type: 'users', users: [user('ada')] },
    { type: 'conversation', conversation: conversation(70, { last_seq: 60 }) },
    { type: 'history', conversation_id: ROOM, messages, mode: 'replace' },
    { type: 'listed' },
  )
  return chat
}

async function keep(chat: ChatStore): Promise<void> {
  const abort = new AbortController()
  keepLastSeen(chat, SESSION, abort.signal)
  await vi.waitFor(async () => expect((await restored()).current.listed).toBe(true), { timeout: 5_000 })
  abort.abort()
}

async function restored(session = SESSION): Promise<ChatStore> {
  const chat = new ChatStore(ME)
  await restoreLastSeen(chat, session, new AbortController().signal)
  return chat
}

afterEach(eraseLastSeen)

test('the newest messages, who wrote them, and how far changes are known come back', async () => {
  const chat = used()
  // A change that came before those between.
  chat.dispatch({ type: 'conversation', conversation: conversation(75, { last_seq: 60, title: 'Later' }) })
  await keep(chat)
  const { current } = await restored()
  expect(current.users.ada?.display_name).toBe('Ada')
  const thread = current.threads[ROOM]
  expect(thread?.range).toEqual({ from: 11, to: 60 })
  expect(thread?.progress?.upTo).toBe(70)
  expect(thread?.snapshot?.title).toBe('Later')
})

test('another session is shown nothing of it, and once erased nobody is', async () => {
  await keep(used())
  expect((await restored('another')).current.listed).toBe(false)
  await eraseLastSeen()
  expect((await restored()).current.listed).toBe(false)
})

test('what is there already is not replaced', async () => {
  await keep(used())
  const chat = new ChatStore(ME)
  chat.dispatch({ type: 'listed' })
  await restoreLastSeen(chat, SESSION, new AbortController().signal)
  expect(chat.current.threads).toEqual({})
})
