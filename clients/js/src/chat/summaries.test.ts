import { describe, expect, test } from 'vitest'
import { applyChanges, type Change } from './changes/index.js'
import { conversation, ME, member, message, ROOM } from './samples.js'
import { emptyChat, type Thread } from './state.js'
import {
  inOrder,
  lowestMarks,
  pinnedIn,
  readersOf,
  readSeqsOf,
  summaryOf,
  withWaiting,
  type Summary,
} from './summaries.js'

function thread(...changes: Change[]): Thread {
  const shown = applyChanges(emptyChat(ME), changes).threads[ROOM]
  if (shown === undefined) throw new Error('no thread')
  return shown
}

const unread = (...changes: Change[]) => {
  const summary = summaryOf(thread(...changes), ME)
  return { count: summary?.unread, inexact: summary?.inexact }
}

const snapshot: Change = {
  type: 'conversation',
  conversation: conversation(20, { last_seq: 10, read_seq: 4, unread_count: 6 }),
}

describe('unread', () => {
  test('what the group says of itself is never unread, and nobody has read anything by it', () => {
    const said = message(11, 21, { system: { type: 'created' } })
    expect(unread(snapshot, { type: 'message', message: said })).toEqual({ count: 6, inexact: false })
    const shown = thread(snapshot, { type: 'message', message: { ...said, sender_id: ME } })
    expect(summaryOf(shown, ME)).toMatchObject({ readSeq: 4, lastSeq: 11, unread: 6 })
  })

  test('from the snapshot: the server’s count', () => {
    expect(unread(snapshot)).toEqual({ count: 6, inexact: false })
  })

  test('a message by another: one more; by oneself: none left', () => {
    expect(unread(snapshot, { type: 'message', message: message(11, 21) })).toEqual({
      count: 7,
      inexact: false,
    })
    expect(unread(snapshot, { type: 'message', message: message(11, 21, { sender_id: ME }) })).toEqual({
      count: 0,
      inexact: false,
    })
  })

  test('a message after others that never came: an estimate, until they came or the server has counted', () => {
    const later: Change = { type: 'message', message: message(14, 24) }
    const between: Change[] = [11, 12, 13].map((seq) => ({
      type: 'message',
      message: message(seq, seq + 10),
    }))
    const counted = conversation(24, { last_seq: 14, read_seq: 4, unread_count: 10 })
    expect(unread(snapshot, later).inexact).toBe(true)
    expect(unread(snapshot, later, ...between)).toEqual({ count: 10, inexact: false })
    expect(unread(snapshot, later, { type: 'conversation', conversation: counted })).toEqual({
      count: 10,
      inexact: false,
    })
  })

  test('an unread one deleted: one less, once', () => {
    const deleted: Change = {
      type: 'message',
      message: message(8, 21, { body: '', deleted_at: '2026-03-02T11:00:00.000Z' }),
    }
    expect(unread(snapshot, deleted, deleted)).toEqual({ count: 5, inexact: false })
  })

  test('read to the end: nothing; read in part without the messages: an estimate', () => {
    const read = (seq: number): Change => ({
      type: 'receipt',
      conversation_id: ROOM,
      user_id: ME,
      delivered_seq: seq,
      read_seq: seq,
    })
    expect(unread(snapshot, read(10))).toEqual({ count: 0, inexact: false })
    expect(unread(snapshot, read(7)).inexact).toBe(true)
  })

  test('with all messages at hand: counted', () => {
    const page = [5, 6, 7, 8, 9, 10].map((seq) => message(seq, seq, seq === 6 ? { sender_id: ME } : {}))
    const history: Change = { type: 'history', conversation_id: ROOM, messages: page, mode: 'replace' }
    // Sending number 6 has read all before it.
    expect(unread(snapshot, history)).toEqual({ count: 4, inexact: false })
  })
})

describe('marks', () => {
  test('only what every other member has read is read', () => {
    const shown = thread(snapshot, {
      type: 'members',
      conversation_id: ROOM,
      members: [
        member(ME),
        member('ada', { read_seq: 9, delivered_seq: 9 }),
        member('eve', { delivered_seq: 7 }),
      ],
      asOf: 20,
      complete: { marksMissed: 0 },
    })
    expect(lowestMarks(shown, ME)).toEqual({ delivered: 7, read: 0 })
  })

  test('who is gone does not count', () => {
    const shown = thread(
      snapshot,
      {
        type: 'members',
        conversation_id: ROOM,
        members: [member('ada', { read_seq: 9, delivered_seq: 9 }), member('eve')],
        asOf: 20,
        complete: { marksMissed: 0 },
      },
      { type: 'member', conversation_id: ROOM, user_id: 'eve', role: null, change_seq: 21 },
    )
    expect(lowestMarks(shown, ME)).toEqual({ delivered: 9, read: 9 })
  })
})

test('readersOf__how many of the others have read a message', () => {
  const shown = thread(snapshot, {
    type: 'members',
    conversation_id: ROOM,
    members: [member(ME, { read_seq: 9 }), member('ada', { read_seq: 3 }), member('eve', { read_seq: 7 })],
    asOf: 20,
    complete: { marksMissed: 0 },
  })
  const readSeqs = readSeqsOf(shown, ME)
  expect(readSeqs).toEqual([7, 3])
  expect([3, 4, 7, 8].map((seq) => readersOf(readSeqs, seq))).toEqual([2, 1, 1, 0])
  expect(readersOf([], 1)).toBe(0)
})

test('inOrder__newest activity first, then the newer id', () => {
  const at = (id: string, activityAt: string) => ({ id, activityAt }) as Summary
  const sorted = inOrder([at('a', '2026-01-01'), at('b', '2026-01-02'), at('c', '2026-01-01')])
  expect(sorted.map(({ id }) => id)).toEqual(['b', 'c', 'a'])
})

test('withWaiting__written by a clock that is behind__is newest all the same', () => {
  const summary = summaryOf(thread(snapshot), ME)
  if (summary === null) throw new Error('no summary')
  const item = {
    client_message_id: 'one',
    conversation_id: ROOM,
    body: 'waits',
    reply_to: null,
    thread_id: null,
    also_in_conversation: false,
    files: [],
    forward: null,
    sending: { state: 'queued' as const },
  }
  const late = { ...item, created_at: '2030-01-01T00:00:00.000Z' }
  expect(withWaiting(summary, undefined)).toBe(summary)
  expect(withWaiting(summary, [late])).toMatchObject({ waiting: late, activityAt: late.created_at })
  const early = { ...item, created_at: '2001-01-01T00:00:00.000Z' }
  expect(withWaiting(summary, [late, early])).toMatchObject({
    waiting: early,
    activityAt: summary.activityAt,
  })
})

test('pinnedIn__the latest pin first, and none that was taken off or deleted', () => {
  const pinned = (seq: number, change_seq: number, pinned_at: string | null): Change => ({
    type: 'message',
    message: message(seq, change_seq, { pinned_at }),
  })
  const shown = thread(
    pinned(1, 30, '2026-01-01'),
    pinned(2, 31, '2026-01-03'),
    pinned(3, 32, '2026-01-02'),
    pinned(4, 33, '2026-01-04'),
    pinned(4, 34, null),
  )
  expect(pinnedIn(shown).map(({ seq }) => seq)).toEqual([2, 3, 1])
})
