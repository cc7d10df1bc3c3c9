import { expect, test } from 'vitest'
import { MessageIndex } from './messageIndex.js'
import { message } from './samples.js'

const threadOf = (...messages: ReturnType<typeof message>[]) => ({
  messages: new Map(messages.map((one) => [one.seq, one])),
})

test('a message is found by its id, in its newest state', () => {
  const index = new MessageIndex()
  const old = message(2, 2)
  expect(index.find(threadOf(message(1, 1), old), 'message-2')).toBe(old)
  const edited = message(2, 5, { body: 'edited' })
  expect(index.find(threadOf(message(1, 1), edited), 'message-2')).toBe(edited)
})

test('one that is not loaded, or not any more, is not found', () => {
  const index = new MessageIndex()
  expect(index.find(threadOf(message(1, 1)), 'message-2')).toBeUndefined()
  index.find(threadOf(message(2, 2)), 'message-2')
  expect(index.find(threadOf(message(1, 1)), 'message-2')).toBeUndefined()
})
