import { beforeEach, expect, test, vi } from 'vitest'
import { message, ME, ROOM } from '../chat/samples.js'
import { ChatStore } from '../chat/store.js'
import { Streams } from './streams.js'

const loadMessage = vi.fn(() => Promise.resolve())
let chat: ChatStore
let streams: Streams

const written = (body: string, parts = {}) => message(1, 1, { body, streaming: true, ...parts })
const take = (at: number, text: string): void =>
  streams.take({ conversation_id: ROOM, message_id: 'message-1', at, text })
const body = (): string | undefined => chat.thread(ROOM).messages.get(1)?.body

beforeEach(() => {
  loadMessage.mockClear()
  chat = new ChatStore(ME)
  streams = new Streams(chat, { loadMessage })
  chat.dispatch({ type: 'message', message: written('A 🚢') })
})

test('pieces join by code points; what is there already is skipped', () => {
  take(3, ' at')
  take(3, ' at')
  take(0, 'A 🚢 at sea')
  expect(body()).toBe('A 🚢 at sea')
  expect(loadMessage).not.toHaveBeenCalled()
})

test('a piece beyond the end__the message is loaded, and its longer text taken', () => {
  take(9, 'sea')
  expect(body()).toBe('A 🚢')
  expect(loadMessage).toHaveBeenCalledWith(ROOM, 'message-1')
  chat.dispatch({ type: 'message', message: written('A 🚢 at sea') })
  expect(body()).toBe('A 🚢 at sea')
  chat.dispatch({ type: 'message', message: written('A 🚢 at') })
  expect(body()).toBe('A 🚢 at sea')
})

test('after its end a message takes no piece, and the end is known as such', () => {
  const whole = message(1, 2, { body: 'A 🚢.', streaming: false })
  expect(streams.isEndOf(whole)).toBe(true)
  chat.dispatch({ type: 'message', message: whole })
  take(4, ' late')
  expect(body()).toBe('A 🚢.')
  expect(streams.isEndOf(message(1, 3, { body: 'edited' }))).toBe(false)
})
