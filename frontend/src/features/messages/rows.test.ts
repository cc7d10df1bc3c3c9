import { describe, expect, test } from 'vitest'
import type { Outgoing } from '@synctalk/client/chat/state'
import { ME, message, ROOM } from '@synctalk/client/chat/samples'
import { dayAt, estimateHeight, rowsOf, seqUpTo, type Row } from './rows'

const at = (day: number, hour: number, minute = 0): string =>
  new Date(2026, 2, day, hour, minute).toISOString()

function rows(
  messages: ReturnType<typeof message>[],
  parts: Partial<Parameters<typeof rowsOf>[0]> = {},
): Row[] {
  const first = messages[0]?.seq ?? 1
  return rowsOf({
    thread: {
      messages: new Map(messages.map((message) => [message.seq, message])),
      range: { from: first, to: messages.at(-1)?.seq ?? 0 },
    },
    outgoing: [],
    me: ME,
    newFrom: null,
    atNewest: true,
    heads: new Set(),
    threadId: null,
    ...parts,
  })
}

const outgoing = (created_at: string): Outgoing => ({
  client_message_id: 'mine',
  conversation_id: ROOM,
  body: 'on its way',
  reply_to: null,
  thread_id: null,
  also_in_conversation: false,
  files: [],
  forward: null,
  created_at,
  sending: { state: 'queued' },
})

const kinds = (list: readonly Row[]): string[] =>
  list.map((row) => ('first' in row ? `${row.kind}${row.first ? '+' : ''}` : row.kind))

describe('rowsOf', () => {
  test('what the group says is never new: the line stands before the message after it', () => {
    const said = { system: { type: 'renamed', title: 'Launch' } }
    const list = rows([message(1, 1), message(2, 2, said), message(3, 3)], { newFrom: 2 })
    expect(kinds(list)).toEqual(['start', 'day', 'message+', 'event', 'new', 'message+'])
    expect(kinds(rows([message(5, 5)], { newFrom: 2 }))).not.toContain('new')
  })

  test('what the group says stands by itself, has its place in the order, and ends a group', () => {
    const said = { system: { type: 'renamed', title: 'Launch' } }
    const list = rows([message(1, 1), message(2, 2, said), message(3, 3)])
    expect(kinds(list)).toEqual(['start', 'day', 'message+', 'event', 'message+'])
    expect(seqUpTo(list, 3)).toBe(2)
  })

  test('one sender within five minutes is one group; another sender, a pause, a day begin a new one', () => {
    const list = rows([
      message(1, 1, { created_at: at(2, 10, 0) }),
      message(2, 2, { created_at: at(2, 10, 4) }),
      message(3, 3, { created_at: at(2, 10, 20) }),
      message(4, 4, { created_at: at(2, 10, 21), sender_id: 'eve' }),
      message(5, 5, { created_at: at(3, 10, 0), sender_id: 'eve' }),
    ])
    expect(kinds(list)).toEqual([
      'start',
      'day',
      'message+',
      'message',
      'message+',
      'message+',
      'day',
      'message+',
    ])
  })

  test('before any history is loaded, what is on its way is shown alone', () => {
    const thread = { messages: new Map(), range: null }
    expect(rows([], { thread })).toEqual([])
    expect(kinds(rows([], { thread, outgoing: [outgoing(at(2, 10))], atNewest: false }))).toEqual([
      'day',
      'outgoing+',
    ])
  })

  test('the line of what is new stands before its message', () => {
    const list = rows([message(8, 8), message(9, 9), message(10, 10)], { newFrom: 9 })
    expect(kinds(list)).toEqual(['message+', 'new', 'message+', 'message'])
  })

  test('older messages, of the same day or another, of the same sender or another, only add rows before', () => {
    const many = Array.from({ length: 60 }, (_, n) =>
      message(n + 1, n + 1, {
        created_at: at(1 + Math.floor(n / 25), 9, n % 25),
        sender_id: n % 7 < 5 ? 'ada' : ME,
      }),
    )
    const heads = new Set<number>()
    let shown: Row[] = []
    for (const from of [41, 26, 20, 1]) {
      heads.add(from)
      const list = rows(many.slice(from - 1), { heads })
      expect(list.slice(list.length - shown.length)).toEqual(shown)
      shown = list
    }
    expect(kinds(shown).filter((kind) => kind === 'day')).toHaveLength(3)
  })

  test('an own message keeps its key when it arrives', () => {
    const before = rows([message(1, 1)], { outgoing: [outgoing(at(2, 10))] }).at(-1)
    const after = rows([message(1, 1), message(2, 2, { sender_id: ME, client_message_id: 'mine' })]).at(-1)
    expect(before?.key).toBe(after?.key)
  })

  test('what is on its way is shown only where the newest is', () => {
    const list = rows([message(1, 1)], { outgoing: [outgoing(at(2, 10))], atNewest: false })
    expect(kinds(list)).toEqual(['start', 'day', 'message+'])
  })

  test('keys are one of a kind', () => {
    const many = Array.from({ length: 300 }, (_, n) =>
      message(n + 1, n + 1, {
        sender_id: n % 3 === 0 ? ME : 'ada',
        created_at: at(1 + Math.floor(n / 20), 9),
      }),
    )
    const keys = rows(many).map((row) => row.key)
    expect(new Set(keys).size).toBe(keys.length)
  })
})

test('seqUpTo and dayAt__a row in the middle__the last message and day up to it', () => {
  const list = rows([message(1, 1), message(2, 2)])
  expect(seqUpTo(list, 1)).toBeNull()
  expect(seqUpTo(list, 99)).toBe(2)
  expect(dayAt(list, 0)).toBeNull()
  expect(dayAt(list, 1)).toBe(message(1, 1).created_at)
  expect(dayAt(list, 3)).toBe(message(2, 2).created_at)
})

test('estimateHeight__a longer text__is higher', () => {
  const [short, long] = rows([message(1, 1), message(2, 2, { body: 'x'.repeat(1_000) })]).slice(-2)
  expect(long && estimateHeight(long)).toBeGreaterThan((short && estimateHeight(short)) ?? 0)
})
