import { expect, test } from 'vitest'
import type { Conversation } from '../contracts.js'
import { applyChanges } from './changes/index.js'
import { conversation, ME, message, user } from './samples.js'
import { inListOrder, linesOf, sectionsOf, type SectionName } from './sections.js'
import { emptyChat, NO_THREAD } from './state.js'
import { summaryOf, type Summary } from './summaries.js'

const at = (minute: number): string => `2026-03-02T10:${String(minute).padStart(2, '0')}:00.000Z`

function summary(id: string, parts: Partial<Conversation> = {}): Summary {
  const state = applyChanges(emptyChat(ME), [
    { type: 'conversation', conversation: conversation(0, { id, title: id, ...parts }) },
  ])
  const found = summaryOf(state.threads[id] ?? NO_THREAD, ME)
  if (found === null) throw new Error('no summary')
  return found
}

const direct = (id: string, parts: Partial<Conversation> = {}): Summary =>
  summary(id, { type: 'direct', peer: user(id), ...parts })

const hidden = { me: { hidden_at: at(30) } }
const ALL = [
  direct('ben', { created_at: at(1) }),
  summary('walks', { created_at: at(2) }),
  summary('notices', { created_at: at(3), unread_count: 2, last_seq: 2 }),
  summary('second', { created_at: at(9), me: { pinned_at: at(20) } }),
  direct('first', { created_at: at(4), me: { pinned_at: at(10) } }),
  summary('gone', { created_at: at(5), ...hidden }),
]

const shown = (collapsed: SectionName[], currentId: string | null = null): string[] =>
  linesOf(ALL, new Set(collapsed), currentId).map((line) =>
    line.kind === 'heading' ? `# ${line.name} ${String(line.count)}` : line.summary.id,
  )

test('pinned ones come first and keep their place, then groups, then direct ones, hidden ones last', () => {
  expect(sectionsOf(ALL).map(({ name, summaries }) => [name, summaries.map(({ id }) => id)])).toEqual([
    ['pinned', ['first', 'second']],
    ['group', ['notices', 'walks']],
    ['direct', ['ben']],
    ['hidden', ['gone']],
  ])
  expect(inListOrder(ALL).map(({ id }) => id)).toEqual(['first', 'second', 'notices', 'walks', 'ben'])
})

test('of a collapsed section what is unread stays, and what is open', () => {
  expect(shown(['group', 'hidden'])).toEqual([
    ...['# pinned 2', 'first', 'second', '# group 2', 'notices', '# direct 1', 'ben', '# hidden 1'],
  ])
  expect(shown(['group', 'hidden'], 'walks')).toContain('walks')
  expect(shown(['group', 'hidden'], 'gone')).toContain('gone')
})

test('where all are of one kind there is no heading', () => {
  const lines = linesOf([direct('ben'), direct('eve')], new Set(['direct']), null)
  expect(lines.map(({ kind }) => kind)).toEqual(['row', 'row'])
})

test('a message brings a hidden conversation back; what the group says of itself does not', () => {
  const ROOM = 'room'
  const start = applyChanges(emptyChat(ME), [
    { type: 'conversation', conversation: conversation(0, { id: ROOM, me: { hidden_at: at(30) } }) },
  ])
  const after = (parts: Parameters<typeof message>[2]): boolean | undefined => {
    const state = applyChanges(start, [
      { type: 'message', message: message(1, 1, { conversation_id: ROOM, ...parts }) },
    ])
    return summaryOf(state.threads[ROOM] ?? NO_THREAD, ME)?.hidden
  }
  expect(after({ created_at: at(31) })).toBe(false)
  expect(after({ created_at: at(31), system: { type: 'renamed' } })).toBe(true)
  expect(after({ created_at: at(29) })).toBe(true)
})

test('unread mentions: what the server counted and what came since, until it is read', () => {
  const ROOM = 'room'
  const known = conversation(1, {
    id: ROOM,
    last_seq: 4,
    read_seq: 2,
    unread_count: 2,
    me: { mention_count: 1 },
  })
  const mention = message(5, 2, { conversation_id: ROOM, mention_all: true })
  const other = message(6, 3, { conversation_id: ROOM })
  const state = applyChanges(emptyChat(ME), [
    { type: 'conversation', conversation: known },
    { type: 'message', message: mention },
    { type: 'message', message: other },
  ])
  expect(summaryOf(state.threads[ROOM] ?? NO_THREAD, ME)?.mentions).toBe(2)
  const read = (read_seq: number): number | undefined => {
    const marks = { conversation_id: ROOM, user_id: ME, delivered_seq: read_seq, read_seq }
    const next = applyChanges(state, [{ type: 'receipt', ...marks }])
    return summaryOf(next.threads[ROOM] ?? NO_THREAD, ME)?.mentions
  }
  expect(read(4)).toBe(1)
  expect(read(5)).toBe(0)
  expect(read(6)).toBe(0)
})
