import { expect, test } from 'vitest'
import type { Message } from '@synctalk/client/contracts'
import { ME, message } from '@synctalk/client/chat/samples'
import { lastOfEachState, markOf } from './marks'
import type { Row } from './rows'

const row = (seq: number, parts: Partial<Message> = { sender_id: ME }): Row => ({
  kind: 'message',
  key: String(seq),
  message: message(seq, seq, parts),
  first: false,
})

const shown = (rows: readonly Row[], delivered: number, read: number): number[] =>
  [...lastOfEachState(rows, ME, { delivered, read })].sort((a, b) => a - b)

test('a message is read before it counts as delivered, and sent before both', () => {
  const reached = { delivered: 4, read: 2 }
  expect([2, 3, 4, 5].map((seq) => markOf({ seq }, reached))).toEqual([
    'read',
    'delivered',
    'delivered',
    'sent',
  ])
})

test('a burst shows one mark for each state, at its last message', () => {
  const rows = [1, 2, 3, 4, 5, 6].map((seq) => row(seq))
  expect(shown(rows, 0, 0)).toEqual([6])
  expect(shown(rows, 4, 2)).toEqual([2, 4, 6])
  expect(shown(rows, 6, 2)).toEqual([2, 6])
  expect(shown(rows, 6, 6)).toEqual([6])
})

test('what others wrote, deleted messages and what is no message count for nothing', () => {
  const rows: Row[] = [
    row(1),
    row(2, { sender_id: 'ben' }),
    row(3, { sender_id: ME, deleted_at: '2026-01-01T00:00:00Z' }),
    { kind: 'new', key: 'new' },
  ]
  expect(shown(rows, 3, 3)).toEqual([1])
  expect(shown([], 3, 3)).toEqual([])
})
