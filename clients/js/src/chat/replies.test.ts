import { expect, test } from 'vitest'
import { applyChanges, type Change } from './changes/index.js'
import { isThreadOnly, outgoingTo, pathOf, placeOf, repliesIn, replySummaryOf } from './replies.js'
import { conversation, ME, message, ROOM } from './samples.js'
import { emptyChat, NO_THREAD, type Outgoing, type Thread } from './state.js'
import { summaryOf } from './summaries.js'

const threadOf = (...changes: Change[]): Thread =>
  applyChanges(emptyChat(ME), changes).threads[ROOM] ?? NO_THREAD
const said = (seq: number, parts = {}): Change => ({ type: 'message', message: message(seq, seq, parts) })
const IN_THREAD = { thread_id: 'message-1' }
const IN_BOTH = { thread_id: 'message-1', also_in_conversation: true }
const said3 = { reply_count: 3, last_reply_at: '2026-03-02T10:00:03.000Z', last_seq: 4, participant_ids: [] }

test.each([
  [{}, false],
  [{ thread_id: null }, false],
  [IN_THREAD, true],
  [IN_BOTH, false],
])('isThreadOnly__%j__%s', (parts, only) => {
  expect(isThreadOnly(message(1, 1, parts))).toBe(only)
})

test('a reply in a thread is neither unread in its conversation nor its last message, and reads nothing there', () => {
  const known = threadOf(
    { type: 'conversation', conversation: conversation(1) },
    { type: 'history', conversation_id: ROOM, messages: [], mode: 'replace' },
    said(1),
    said(2, IN_BOTH),
    said(3, IN_THREAD),
    said(4, { ...IN_THREAD, sender_id: ME }),
  )
  expect(summaryOf(known, ME)).toMatchObject({ unread: 2, last: { seq: 2 }, lastSeq: 4, readSeq: 0 })
  expect(known.marks.ada).toMatchObject({ read_seq: 2 })
})

test('replySummaryOf__the later of the message and of what came beside it, in whatever order', () => {
  const root = message(1, 5, { thread: { ...said3, reply_count: 2 } })
  const head = (change_seq: number, reply_count: number): Change => ({
    type: 'head',
    conversation_id: ROOM,
    thread_id: root.id,
    thread: { ...said3, reply_count },
    change_seq,
  })
  expect(replySummaryOf(threadOf(), root)?.reply_count).toBe(2)
  expect(replySummaryOf(threadOf(head(4, 1)), root)?.reply_count).toBe(2)
  expect(replySummaryOf(threadOf(head(7, 4), head(6, 3)), root)?.reply_count).toBe(4)
})

test('repliesIn__those of one thread from a number on, by their number', () => {
  const { messages } = threadOf(
    said(1),
    said(5, IN_BOTH),
    said(3, IN_THREAD),
    said(2, IN_THREAD),
    said(4, { thread_id: 'another' }),
  )
  expect([...repliesIn(messages, 'message-1', 3).keys()]).toEqual([3, 5])
})

test('addresses and places', () => {
  expect(placeOf('room', null)).toBe('room')
  expect(placeOf('room', 'root')).not.toBe('room')
  expect(pathOf(message(3, 3, IN_THREAD))).toBe('/c/room/thread/message-1?at=3')
  expect(pathOf(message(3, 3, IN_BOTH))).toBe('/c/room?at=3')
})

test('outgoingTo__what is in both is on its way to both', () => {
  const items = [{}, IN_THREAD, IN_BOTH].map((parts) => ({ thread_id: null, ...parts }) as Outgoing)
  expect(outgoingTo(items, null)).toEqual([items[0], items[2]])
  expect(outgoingTo(items, 'message-1')).toEqual([items[1], items[2]])
})
