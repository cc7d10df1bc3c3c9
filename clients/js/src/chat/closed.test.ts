import { expect, test } from 'vitest'
import { applyChanges } from './changes/index.js'
import { closedBecause, endOf, mayNow, slowModeLeft, type Doing } from './closed.js'
import { conversation, ME, member, ROOM } from './samples.js'
import { emptyChat, NO_THREAD } from './state.js'
import { summaryOf, type Summary } from './summaries.js'
import type { Conversation } from '../contracts.js'

const NOW = Date.parse('2026-03-02T12:00:00Z')
const LATER = '2026-03-02T13:00:00.000Z'

function summaryWith(parts: Partial<Conversation>, mutedUntil: string | null = null): Summary {
  const members = [member(ME, { role: parts.role ?? 'member', muted_until: mutedUntil })]
  const state = applyChanges(emptyChat(ME), [
    { type: 'conversation', conversation: conversation(0, parts) },
    { type: 'members', conversation_id: ROOM, members, asOf: 0, complete: { marksMissed: 0 } },
  ])
  const summary = summaryOf(state.threads[ROOM] ?? NO_THREAD, ME)
  if (summary === null) throw new Error('no summary')
  return summary
}

test.each([
  [{}, null, false, null],
  [{ archived_at: LATER }, LATER, false, { why: 'archived' }],
  [{}, null, true, { why: 'blocked' }],
  [{}, LATER, false, { why: 'muted', until: LATER }],
  [{}, '2026-03-02T11:00:00.000Z', false, null],
  [{}, '9999-12-31T23:59:59.999Z', false, { why: 'muted', until: null }],
  [{ posting: 'admins' }, null, false, { why: 'posting' }],
  [{ posting: 'admins', role: 'moderator' }, null, false, null],
] as const)('%o, muted until %s, blocked %s: %o', (parts, mutedUntil, blocked, closed) => {
  expect(closedBecause(summaryWith(parts, mutedUntil), blocked, NOW)).toEqual(closed)
})

const DOINGS: readonly Doing[] = ['send', 'edit', 'react', 'pin']

test.each([
  ['open', {}, null, false, ['send', 'edit', 'react', 'pin']],
  ['open, of many', {}, null, false, ['send', 'edit', 'react']],
  ['archived', { archived_at: LATER }, null, false, []],
  ['archived, to its owner', { archived_at: LATER, role: 'owner' }, null, false, []],
  ['muted', {}, LATER, false, []],
  ['muted in the past', {}, '2026-03-02T11:00:00.000Z', false, ['send', 'edit', 'react', 'pin']],
  ['for announcements', { posting: 'admins' }, null, false, ['edit', 'react', 'pin']],
  ['for announcements, to a moderator', { posting: 'admins', role: 'moderator' }, null, false, DOINGS],
  ['with a user one has blocked', {}, null, true, ['edit', 'react', 'pin']],
] as const)('%s: what is offered', (where, parts, mutedUntil, blocked, offered) => {
  const of = where === 'open, of many' ? 21 : 3
  const summary = { ...summaryWith(parts, mutedUntil), membersCount: of }
  const closed = closedBecause(summary, blocked, NOW)?.why ?? null
  expect(DOINGS.filter((doing) => mayNow(doing, summary, closed))).toEqual(offered)
})

test.each([
  [{ slow_mode_s: 30 }, '2026-03-02T11:59:50.000Z', 20],
  [{ slow_mode_s: 30 }, '2026-03-02T11:59:00.000Z', 0],
  // The server's clock may be ahead of this one.
  [{ slow_mode_s: 30 }, '2026-03-02T12:00:05.000Z', 30],
  [{ slow_mode_s: 30 }, null, 0],
  [{ slow_mode_s: 30, role: 'moderator' }, '2026-03-02T11:59:50.000Z', 0],
  [{}, '2026-03-02T11:59:59.000Z', 0],
] as const)('slow mode of %o after a message at %s: %i seconds', (parts, lastOwnAt, left) => {
  expect(slowModeLeft(summaryWith(parts), lastOwnAt, NOW)).toBe(left)
})

test('what has no end is sent as one far away', () => {
  expect(endOf('9999-12-31T23:59:59.999Z')).toBeNull()
  expect(endOf(LATER)).toBe(LATER)
})
