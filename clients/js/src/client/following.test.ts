/** Changes in whatever order they come are handed on in theirs, once. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { conversation as sample, message as sampleMessage, ROOM, user } from '../chat/samples.js'
import type { Conversation, Message } from '../contracts.js'
import type { Event } from './events.js'
import { changeOf, Following, MAX_BUFFERED, type Change } from './following.js'

const message = (changeSeq: number, seq = changeSeq, parts: Partial<Message> = {}): Message =>
  sampleMessage(seq, changeSeq, parts)
const change = (what: Message): Change => changeOf.message(what)
const conversation = (change_seq: number, last_seq = 0): Conversation => ({ ...sample(change_seq), last_seq })

const created = (what: Message): Event => ({ type: 'message.created', message: what })
const updated = (what: Message): Event => ({ type: 'message.updated', message: what })

function following(change_seq = 0, last_seq = 0): Following {
  const followed = new Following({})
  followed.connected(new Map([[ROOM, { change_seq, last_seq }]]), true)
  return followed
}

test('in any order and doubled: each is handed on once, in order', () => {
  const numbers = [1, 2, 3, 4, 5, 6, 7, 8]
  const permutations = fc.shuffledSubarray(numbers, { minLength: numbers.length })
  fc.assert(
    fc.property(permutations, fc.array(fc.constantFrom(...numbers)), (order, again) => {
      const followed = following()
      const events = [...order, ...again].flatMap((number) => followed.take(change(message(number))))
      expect(events).toEqual(numbers.map((number) => created(message(number))))
      expect(followed.cursor(ROOM)).toEqual({ change_seq: 8, last_seq: 8 })
    }),
  )
})

test('after a gap: it waits for what is missing', () => {
  const followed = following()
  expect(followed.take(change(message(2)))).toEqual([])
  expect(followed.withGaps()).toEqual([ROOM])
  expect(followed.take(change(message(1)))).toEqual([created(message(1)), created(message(2))])
  expect(followed.withGaps()).toEqual([])
})

test('too much after a gap is left to sync', () => {
  const followed = following()
  const numbers = Array.from({ length: MAX_BUFFERED + 1 }, (_, at) => at + 2)
  for (const number of numbers) followed.take(change(message(number)))
  expect(followed.withGaps()).toEqual([ROOM])
  // Only the last one is kept: with the first there, the second is missing.
  expect(followed.take(change(message(1)))).toEqual([created(message(1))])
})

test('a message from before is an update', () => {
  const followed = following(7, 5)
  expect(followed.take(change(message(8, 3)))).toEqual([updated(message(8, 3))])
  const deleted = message(9, 4, { deleted_at: '2026-01-01T00:00:00.000Z' })
  expect(followed.take(change(deleted))).toEqual([{ type: 'message.deleted', message: deleted }])
})

test('sync closes the gap, and what was buffered follows', () => {
  const followed = following(1, 1)
  followed.take(change(message(5, 3)))
  const [edited, second] = [message(3, 1), message(2, 2)]
  const marks = { delivered_seq: 0, read_seq: 0, joined_at: '2026-01-01T00:00:00.000Z' }
  const member = { user: user('ada'), role: 'admin' as const, change_seq: 4, ...marks }
  const state = {
    messages: [second, edited],
    members: [member],
    conversation: conversation(4),
    change_seq: 4,
  }
  expect(followed.synced(ROOM, state)).toEqual([
    created(second),
    updated(edited),
    {
      type: 'member.changed',
      conversation_id: ROOM,
      user_id: 'ada',
      role: 'admin',
      change_seq: 4,
      muted_until: null,
    },
    { type: 'conversation.updated', conversation: conversation(4) },
    created(message(5, 3)),
  ])
  expect(followed.cursor(ROOM)).toEqual({ change_seq: 5, last_seq: 3 })
  expect(followed.synced(ROOM, state)).toEqual([])
})

test('by sync, a new message that was edited is created once', () => {
  const [first, second] = [message(3, 1), message(2, 2)]
  expect(following().synced(ROOM, { messages: [second, first], change_seq: 3 })).toEqual([
    created(second),
    created(first),
  ])
})

test('connected again: what differs is named, what was joined meanwhile begins at its beginning', () => {
  const followed = following(4)
  followed.connected(new Map([['same', { change_seq: 0, last_seq: 0 }]]), false)
  const states = { [ROOM]: { change_seq: 6, last_seq: 2 }, new: { change_seq: 3, last_seq: 1 } }
  const behind = followed.connected(new Map(Object.entries(states)), true)
  expect(behind.sort()).toEqual(['new', ROOM, 'same'].sort())
  expect(followed.cursor('new')).toEqual({ change_seq: 0, last_seq: 0 })
  expect(followed.connected(new Map([[ROOM, { change_seq: 4, last_seq: 0 }]]), false)).toEqual([])
})

test('with cursors it goes on from them', () => {
  const followed = new Following({ [ROOM]: { change_seq: 4, last_seq: 2 } })
  expect(followed.connected(new Map([[ROOM, { change_seq: 6, last_seq: 3 }]]), true)).toEqual([ROOM])
  expect(followed.cursor(ROOM)).toEqual({ change_seq: 4, last_seq: 2 })
})

test('added and removed are handed on once', () => {
  const followed = following()
  followed.removed(ROOM)
  expect(followed.removed(ROOM)).toEqual([])
  const added = conversation(3, 2)
  expect(followed.added(added)).toEqual([{ type: 'conversation.added', conversation: added }])
  expect(followed.added(conversation(3))).toEqual([])
  expect(followed.take(change(message(4, 3)))).toEqual([created(message(4, 3))])
  expect(followed.removed(ROOM)).toEqual([{ type: 'conversation.removed', conversation_id: ROOM }])
  expect(followed.cursor(ROOM)).toBeNull()
})

test('after a reset it goes on from there', () => {
  const followed = following()
  followed.take(change(message(12, 9)))
  expect(followed.reset(ROOM, 11, 8)).toEqual([
    { type: 'history.reset', conversation_id: ROOM, change_seq: 11 },
    created(message(12, 9)),
  ])
})

test('before all conversations are known, it begins with what comes', () => {
  expect(new Following({}).take(change(message(9, 5)))).toEqual([created(message(9, 5))])
})

test('a pin is its message, whichever comes first', () => {
  const pinned = message(2, 1, { pinned_at: '2026-01-01T00:00:00.000Z' })
  const other = changeOf.conversation(conversation(2, 1))
  for (const come of [
    [change(pinned), other],
    [other, change(pinned)],
  ]) {
    const followed = following()
    const events = [...come, change(message(1))].flatMap((each) => followed.take(each))
    expect(events).toEqual([created(message(1)), updated(pinned)])
  }
})
