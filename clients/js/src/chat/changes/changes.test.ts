import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyChanges, type Change } from './index.js'
import { conversation, ME, member, memberChange, message, user, ROOM } from '../samples.js'
import { emptyChat, type ChatState, type Outgoing, type Thread } from '../state.js'
import { summaryOf } from '../summaries.js'

const begin = (...changes: Change[]): ChatState => applyChanges(emptyChat(ME), changes)
const room = (state: ChatState): Thread => {
  const thread = state.threads[ROOM]
  if (thread === undefined) throw new Error('no thread')
  return thread
}
const bodies = (state: ChatState): string[] =>
  [...room(state).messages.values()].sort((a, b) => a.seq - b.seq).map((message) => message.body)

const outgoing = (id: string, sending: Outgoing['sending'] = { state: 'queued' }): Change => ({
  type: 'outgoing',
  item: {
    client_message_id: id,
    conversation_id: ROOM,
    body: 'on its way',
    reply_to: null,
    thread_id: null,
    also_in_conversation: false,
    files: [],
    forward: null,
    created_at: '2026-03-02T10:00:00.000Z',
    sending,
  },
})

/** A lively conversation as the server numbered it: what every socket receives, each change with its number. */
const STORY: readonly Change[] = [
  { type: 'message', message: message(1, 1) },
  { type: 'message', message: message(2, 2, { sender_id: ME, client_message_id: 'mine-2' }) },
  {
    type: 'message',
    message: message(1, 3, { body: 'text 1, better', edited_at: '2026-03-02T10:01:00.000Z' }),
  },
  { type: 'member', conversation_id: ROOM, user_id: 'eve', role: 'member', change_seq: 4 },
  { type: 'message', message: message(3, 5, { sender_id: 'eve' }) },
  { type: 'message', message: message(4, 6) },
  {
    type: 'message',
    message: message(3, 7, { sender_id: 'eve', body: '', deleted_at: '2026-03-02T10:02:00.000Z' }),
  },
  {
    type: 'conversation',
    conversation: conversation(8, { title: 'New name', last_seq: 4, unread_count: 1 }),
    live: true,
  },
  { type: 'member', conversation_id: ROOM, user_id: 'eve', role: null, change_seq: 9 },
  { type: 'message', message: message(5, 10, { sender_id: ME, client_message_id: 'mine-5' }) },
  { type: 'member', conversation_id: ROOM, user_id: 'ada', role: 'admin', change_seq: 11 },
  { type: 'message', message: message(6, 12) },
  { type: 'receipt', conversation_id: ROOM, user_id: 'ada', delivered_seq: 5, read_seq: 4 },
  { type: 'receipt', conversation_id: ROOM, user_id: 'ada', delivered_seq: 6, read_seq: 6 },
]

const START: readonly Change[] = [
  { type: 'conversation', conversation: conversation(0) },
  { type: 'history', conversation_id: ROOM, messages: [], mode: 'replace' },
  outgoing('mine-2'),
  outgoing('mine-5'),
]

/** What is compared: everything that does not depend on who was first. */
function essence(state: ChatState) {
  const { messages, members, marks, progress, snapshot, range, top } = room(state)
  return {
    messages: [...messages.values()].sort((a, b) => a.seq - b.seq),
    // When someone joined is not in the live event, so it depends on how it became known.
    members: Object.values(members)
      .map(({ user_id, role, change_seq }) => ({ user_id, role, change_seq }))
      .sort((a, b) => (a.user_id < b.user_id ? -1 : 1)),
    marks,
    snapshot,
    range,
    top,
    progress: progress && { upTo: progress.upTo, ahead: [...progress.ahead].sort((a, b) => a - b) },
    outgoing: state.outgoing[ROOM],
    summary: summaryOf(room(state), ME),
  }
}

describe('in any order, any number of times', () => {
  const straight = essence(begin(...START, ...STORY))

  test('live events: shuffled and doubled, they end in the same state', () => {
    const events = fc.shuffledSubarray([...STORY, ...STORY], { minLength: STORY.length * 2 })
    fc.assert(
      fc.property(events, (changes) => {
        expect(essence(begin(...START, ...changes))).toEqual(straight)
      }),
    )
  })

  test('one by one or as one batch: the same', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...STORY], { minLength: STORY.length }), (changes) => {
        const oneByOne = changes.reduce((state, change) => applyChanges(state, [change]), begin(...START))
        expect(essence(oneByOne)).toEqual(essence(begin(...START, ...changes)))
      }),
    )
  })

  test('some lost, then a sync from the cursor: as if nothing had been lost', () => {
    const fate = fc.tuple(fc.shuffledSubarray([...STORY]), fc.shuffledSubarray([...STORY]))
    fc.assert(
      fc.property(fate, ([before, late]) => {
        const broken = begin(...START, ...before)
        const cursor = room(broken).progress?.upTo ?? 0
        const caughtUp = applyChanges(broken, syncFrom(cursor))
        expect(essence(applyChanges(caughtUp, late))).toEqual(straight)
      }),
    )
  })

  test('applying to a state leaves that state as it was', () => {
    const before = begin(...START)
    const copy = essence(before)
    applyChanges(before, STORY)
    expect(essence(before)).toEqual(copy)
  })
})

/** The server's answer to a cursor: what changed since, once, as it is now. */
function syncFrom(cursor: number): Change[] {
  const messages = new Map<number, ReturnType<typeof message>>()
  const members = new Map<string, ReturnType<typeof memberChange>>()
  for (const change of STORY) {
    if (change.type === 'message') messages.set(change.message.seq, change.message)
    if (change.type === 'member') {
      members.set(change.user_id, memberChange(change.user_id, change.change_seq, { role: change.role }))
    }
  }
  const receipts = STORY.filter((change) => change.type === 'receipt')
  const snapshot = STORY.find((change) => change.type === 'conversation')
  return [
    {
      type: 'synced',
      conversation_id: ROOM,
      messages: [...messages.values()].filter((item) => item.change_seq > cursor),
      members: [...members.values()].filter((item) => item.change_seq > cursor),
      change_seq: 12,
    },
    ...(snapshot ? [snapshot] : []),
    ...receipts,
  ]
}

describe('messages', () => {
  test('an older state of a message never comes back', () => {
    const state = begin(
      ...START,
      { type: 'message', message: message(1, 3, { body: 'new' }) },
      { type: 'message', message: message(1, 1, { body: 'old' }) },
    )
    expect(bodies(state)).toEqual(['new'])
  })

  test('a hole is not part of the loaded range until it is filled', () => {
    const before = begin(
      { type: 'conversation', conversation: conversation(0) },
      { type: 'history', conversation_id: ROOM, messages: [message(1, 1), message(2, 2)], mode: 'replace' },
      { type: 'message', message: message(4, 4) },
    )
    expect(room(before).range).toEqual({ from: 1, to: 2 })
    const after = applyChanges(before, [{ type: 'message', message: message(3, 3) }])
    expect(room(after).range).toEqual({ from: 1, to: 4 })
  })

  test('an older page joins what is loaded, one that lies apart does not', () => {
    const state = begin(
      { type: 'conversation', conversation: conversation(9) },
      { type: 'history', conversation_id: ROOM, messages: [message(8, 8), message(9, 9)], mode: 'replace' },
      { type: 'history', conversation_id: ROOM, messages: [message(6, 6), message(7, 7)], mode: 'extend' },
      { type: 'history', conversation_id: ROOM, messages: [message(1, 1), message(2, 2)], mode: 'extend' },
    )
    expect(room(state).range).toEqual({ from: 6, to: 9 })
  })

  test('a message just before the loaded range, known from an edit, belongs to it', () => {
    const state = begin(
      { type: 'conversation', conversation: conversation(9) },
      { type: 'history', conversation_id: ROOM, messages: [message(8, 8), message(9, 9)], mode: 'replace' },
      { type: 'message', message: message(7, 10, { body: 'edited' }) },
    )
    expect(room(state).range).toEqual({ from: 7, to: 9 })
  })

  test('what arrives between asking for the history and its answer is kept', () => {
    const state = begin(
      { type: 'conversation', conversation: conversation(2, { last_seq: 2 }) },
      { type: 'message', message: message(3, 3) },
      { type: 'history', conversation_id: ROOM, messages: [message(1, 1), message(2, 2)], mode: 'replace' },
    )
    expect(room(state).range).toEqual({ from: 1, to: 3 })
  })
})

describe('how far the changes are known', () => {
  test('a gap holds the cursor until the missing change comes', () => {
    const gap = begin(...START, { type: 'message', message: message(2, 2) })
    expect(room(gap).progress).toEqual({ upTo: 0, ahead: new Set([2]) })
    const whole = applyChanges(gap, [{ type: 'message', message: message(1, 1) }])
    expect(room(whole).progress).toEqual({ upTo: 2, ahead: new Set() })
  })

  test('a conversation read by REST does not move the cursor past what may still come', () => {
    const state = begin(...START, { type: 'conversation', conversation: conversation(7) })
    expect(room(state).progress?.upTo).toBe(0)
  })

  test('an older state of the conversation never comes back', () => {
    const state = begin(
      ...START,
      { type: 'conversation', conversation: conversation(5, { title: 'New' }), live: true },
      { type: 'conversation', conversation: conversation(4, { title: 'Old' }) },
    )
    expect(room(state).snapshot?.title).toBe('New')
  })

  test('history read at a later time does not move the cursor', () => {
    const state = begin(...START, {
      type: 'history',
      conversation_id: ROOM,
      messages: [message(1, 9)],
      mode: 'extend',
    })
    expect(room(state).progress?.upTo).toBe(0)
  })
})

describe('reset', () => {
  const before = begin(
    { type: 'conversation', conversation: conversation(2, { last_seq: 2 }) },
    { type: 'history', conversation_id: ROOM, messages: [message(1, 1), message(2, 2)], mode: 'replace' },
    { type: 'reset', conversation_id: ROOM, change_seq: 50 },
  )

  test('what was loaded stays in view until the history is there anew', () => {
    expect(bodies(before)).toEqual(['text 1', 'text 2'])
    expect(room(before)).toMatchObject({ staleAt: 50, progress: { upTo: 50 }, membersLoaded: false })
  })

  test('the new page takes its place, and later changes stay', () => {
    const after = applyChanges(before, [
      { type: 'message', message: message(42, 51) },
      {
        type: 'history',
        conversation_id: ROOM,
        messages: [message(40, 40), message(41, 41)],
        mode: 'replace',
      },
    ])
    expect(bodies(after)).toEqual(['text 40', 'text 41', 'text 42'])
    expect(room(after)).toMatchObject({ staleAt: null, range: { from: 40, to: 42 } })
  })
})

describe('history that begins elsewhere', () => {
  test('makes what was loaded stale, like a reset', () => {
    const before = begin(
      { type: 'conversation', conversation: conversation(2, { last_seq: 2 }) },
      { type: 'history', conversation_id: ROOM, messages: [message(1, 1), message(2, 2)], mode: 'replace' },
    )
    const changed = conversation(3, { last_seq: 2, history: 'since_joined' })
    const after = applyChanges(before, [{ type: 'conversation', conversation: changed, live: true }])
    expect(room(after)).toMatchObject({ staleAt: 3, progress: { upTo: 3 } })
    const again = applyChanges(after, [
      { type: 'history', conversation_id: ROOM, messages: [message(2, 2)], mode: 'replace' },
      { type: 'conversation', conversation: changed, live: true },
    ])
    expect(bodies(again)).toEqual(['text 2'])
    expect(room(again).staleAt).toBeNull()
  })
})

describe('removed', () => {
  const removed = begin(...START, ...STORY, {
    type: 'member',
    conversation_id: ROOM,
    user_id: ME,
    role: null,
    change_seq: 13,
  })

  test('nothing of it is left, and late changes of it are ignored', () => {
    const after = applyChanges(removed, [...STORY, ...STORY])
    expect(room(after).messages.size).toBe(0)
    expect(summaryOf(room(after), ME)).toBeNull()
  })

  test('removed twice, by both events: the same', () => {
    const twice = applyChanges(removed, [
      { type: 'removed', conversation_id: ROOM, change_seq: null },
      { type: 'member', conversation_id: ROOM, user_id: ME, role: null, change_seq: 13 },
    ])
    expect(room(twice)).toEqual(room(removed))
  })

  test('added again: it is back', () => {
    const back = applyChanges(removed, [{ type: 'conversation', conversation: conversation(14), live: true }])
    expect(summaryOf(room(back), ME)?.title).toBe('Room')
  })

  test('a late event of the first removal does not undo being added again', () => {
    const back = applyChanges(removed, [
      { type: 'conversation', conversation: conversation(14), live: true },
      { type: 'member', conversation_id: ROOM, user_id: ME, role: null, change_seq: 13 },
    ])
    expect(summaryOf(room(back), ME)?.title).toBe('Room')
  })
})

describe('on its way', () => {
  test('gone from the outgoing as soon as it is seen, by ack, event or sync', () => {
    const state = begin(...START, {
      type: 'message',
      message: message(1, 1, { sender_id: ME, client_message_id: 'mine-2' }),
    })
    expect(state.outgoing[ROOM]?.map((item) => item.client_message_id)).toEqual(['mine-5'])
  })

  test('another user using the same client id does not take it away', () => {
    const state = begin(...START, {
      type: 'message',
      message: message(1, 1, { client_message_id: 'mine-2' }),
    })
    expect(state.outgoing[ROOM]).toHaveLength(2)
  })

  test('a late state of something already stored is ignored', () => {
    const state = begin(
      { type: 'conversation', conversation: conversation(0) },
      { type: 'message', message: message(1, 1, { sender_id: ME, client_message_id: 'mine' }) },
      outgoing('mine', { state: 'failed', reason: 'timeout' }),
    )
    expect(state.outgoing[ROOM] ?? []).toEqual([])
  })
})

describe('members and marks', () => {
  test('a list that was read before a change does not undo it', () => {
    const state = begin(
      ...START,
      { type: 'member', conversation_id: ROOM, user_id: 'ada', role: 'admin', change_seq: 1 },
      {
        type: 'members',
        conversation_id: ROOM,
        members: [member('ada', { role: 'member' }), member(ME)],
        asOf: 0,
        complete: { marksMissed: 0 },
      },
    )
    expect(room(state).members.ada?.role).toBe('admin')
  })

  test('a list makes up for the receipts missed before it was asked for, not for later ones', () => {
    const missed: Change = { type: 'receipts_missed', conversation_ids: [ROOM, 'unknown'] }
    const list = (marksMissed: number): Change => ({
      type: 'members',
      conversation_id: ROOM,
      members: [member('ada', { delivered_seq: 2 })],
      asOf: 0,
      complete: { marksMissed },
    })
    const twice = begin(...START, missed, missed)
    expect(twice.threads.unknown).toBeUndefined()
    expect(room(applyChanges(twice, [list(1)]))).toMatchObject({ marksMissed: 2, marksReadAt: 1 })
    const read = applyChanges(twice, [list(2), list(1)])
    expect(room(read)).toMatchObject({ marksMissed: 2, marksReadAt: 2, marks: { ada: { delivered_seq: 2 } } })
  })

  test('read implies delivered, and marks only rise', () => {
    const state = begin(
      ...START,
      { type: 'receipt', conversation_id: ROOM, user_id: 'ada', delivered_seq: 3, read_seq: 5 },
      { type: 'receipt', conversation_id: ROOM, user_id: 'ada', delivered_seq: 2, read_seq: 1 },
    )
    expect(room(state).marks.ada).toEqual({ delivered_seq: 5, read_seq: 5 })
  })
})

describe('users', () => {
  test('a new name is that of the direct conversation too', () => {
    const before = applyChanges(emptyChat(ME), [
      {
        type: 'conversation',
        conversation: conversation(1, { type: 'direct', title: null, peer: user('ada') }),
      },
    ])
    const renamed = { ...user('ada'), display_name: 'Ada King' }
    const after = applyChanges(before, [{ type: 'users', users: [renamed] }])
    expect(after.users.ada).toEqual(renamed)
    expect(after.threads[ROOM]?.snapshot?.peer).toEqual(renamed)
    const again = applyChanges(after, [{ type: 'users', users: [{ ...renamed }] }])
    expect(again.threads).toBe(after.threads)
    expect(again.users).toBe(after.users)
  })

  test('a new name that came with the members of a group is that of the direct conversation too', () => {
    const peer = user('ada')
    const before = applyChanges(emptyChat(ME), [
      { type: 'conversation', conversation: conversation(1, { id: 'direct', type: 'direct', peer }) },
      { type: 'conversation', conversation: conversation(1) },
    ])
    const renamed = { ...peer, display_name: 'Ada King', avatar_url: 'https://example.org/ada.png' }
    const members = [{ ...member('ada'), user: renamed }]
    const after = applyChanges(before, [
      { type: 'members', conversation_id: ROOM, members, asOf: 1, complete: null },
    ])
    expect(after.threads.direct?.snapshot?.peer).toEqual(renamed)
  })

  test('an older state of a direct conversation does not bring the old name back', () => {
    const peer = user('ada')
    const renamed = { ...peer, display_name: 'Ada King' }
    const direct = { type: 'direct', title: null } as const
    const after = applyChanges(emptyChat(ME), [
      { type: 'conversation', conversation: conversation(2, { ...direct, peer: renamed }) },
      { type: 'conversation', conversation: conversation(1, { ...direct, peer }) },
    ])
    expect(after.users.ada).toEqual(renamed)
    expect(after.threads[ROOM]?.snapshot?.peer).toEqual(renamed)
  })
})

describe('typing', () => {
  const beside = { type: 'typing', conversation_id: ROOM, user_id: 'ada', until: 7_000 } as const
  const typing: Change = { ...beside, thread_id: null }
  const inThread: Change = { ...beside, thread_id: 'root' }

  test('ends with the message', () => {
    const state = begin(...START, typing, { type: 'message', message: message(1, 1) })
    expect(state.typing[ROOM]).toEqual({})
  })

  test('ends by itself', () => {
    expect(begin(typing, { type: 'clock', now: 6_999 }).typing[ROOM]).toEqual({ ada: 7_000 })
    expect(begin(typing, { type: 'clock', now: 7_000 }).typing[ROOM]).toEqual({})
  })

  test('in a thread is not in the conversation, and ends with a reply there', () => {
    expect(begin(inThread).typing).toEqual({ [`${ROOM}/root`]: { ada: 7_000 } })
    const said: Change = { type: 'message', message: message(1, 1) }
    expect(begin(...START, inThread, said).typing).toEqual({ [`${ROOM}/root`]: { ada: 7_000 } })
    const replied: Change = { type: 'message', message: message(1, 1, { thread_id: 'root' }) }
    expect(begin(...START, inThread, replied).typing).toEqual({ [`${ROOM}/root`]: {} })
  })

  test('ends everywhere with the membership', () => {
    const gone: Change = { type: 'member', conversation_id: ROOM, user_id: 'ada', role: null, change_seq: 9 }
    expect(begin(...START, typing, inThread, gone).typing).toEqual({
      [ROOM]: {},
      [`${ROOM}/root`]: {},
    })
    const removed: Change = { type: 'member', conversation_id: ROOM, user_id: ME, role: null, change_seq: 9 }
    expect(begin(...START, typing, inThread, removed).typing).toEqual({})
  })
})
