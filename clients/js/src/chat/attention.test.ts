import { expect, test } from 'vitest'
import type { AllNotificationSettings } from '../contracts.js'
import { countedUnread, isQuiet, isWanted, ownLevel, settingsOf } from './attention.js'
import { applyChanges } from './changes/index.js'
import { conversation, ME, message, ROOM, user } from './samples.js'
import { emptyChat, NO_THREAD } from './state.js'
import { summaryOf } from './summaries.js'

const NOW = Date.parse('2026-03-02T12:00:00Z')
const LATER = '2026-03-02T13:00:00Z'
const BEFORE = '2026-03-02T11:00:00Z'

test.each([
  [{ level: 'all', muted_until: null }, false, true],
  [{ level: 'all', muted_until: LATER }, true, false],
  [{ level: 'all', muted_until: BEFORE }, false, true],
  [{ level: 'mentions', muted_until: null }, false, false],
  [{ level: 'mentions', muted_until: null }, true, true],
  [{ level: 'none', muted_until: null }, true, false],
] as const)('with %o, to oneself %s: notified is %s', (settings, toMe, wanted) => {
  expect(isWanted(settings, toMe, NOW)).toBe(wanted)
})

test.each([
  ['all', 'group', 2],
  ['mentions', 'group', 1],
  ['mentions', 'direct', 2],
  ['none', 'group', 0],
] as const)('of two unread, one a mention, %s counts in a %s conversation %i', (level, type, counted) => {
  const peer = type === 'direct' ? user('ada') : null
  const state = applyChanges(emptyChat(ME), [
    { type: 'conversation', conversation: conversation(0, { type, peer }) },
    { type: 'message', message: message(1, 1) },
    { type: 'message', message: message(2, 2, { mentions: [ME] }) },
  ])
  const summary = summaryOf(state.threads[ROOM] ?? NO_THREAD, ME)
  if (summary === null) throw new Error('no summary')
  expect(countedUnread(summary, { level, muted_until: null }, NOW)).toBe(counted)
})

const all = (parts: Partial<AllNotificationSettings>): AllNotificationSettings => ({
  settings: { level: 'mentions' },
  conversations: {},
  ...parts,
})

test('a conversation without settings of its own has those for all', () => {
  expect(settingsOf(all({}), ROOM)).toEqual({ level: 'mentions', muted_until: null })
  const own = { level: 'none', muted_until: null } as const
  expect(settingsOf(all({ conversations: { [ROOM]: own } }), ROOM)).toEqual(own)
})

test.each([
  [undefined, null],
  [{ level: 'all', muted_until: null }, 'all'],
  [{ level: 'mentions', muted_until: null }, 'mentions'],
  [{ level: 'mentions', muted_until: LATER }, null],
  [{ level: 'none', muted_until: LATER }, 'none'],
] as const)('with %o here and mentions for all, the own level is %s', (own, level) => {
  const conversations: AllNotificationSettings['conversations'] = own === undefined ? {} : { [ROOM]: own }
  expect(ownLevel(all({ conversations }), ROOM, NOW)).toBe(level)
})

test.each([
  ['09:00', '17:00', 'UTC', true],
  ['12:00', '12:01', 'UTC', true],
  ['11:00', '12:00', 'UTC', false],
  ['22:00', '07:00', 'UTC', false],
  ['22:00', '12:30', 'UTC', true],
  ['22:00', '07:00', 'Asia/Tokyo', false],
  ['21:00', '07:00', 'Asia/Tokyo', true],
  ['08:00', '08:00', 'UTC', false],
] as const)('noon UTC is between %s and %s in %s: %s', (from, to, time_zone, quiet) => {
  expect(isQuiet({ from, to, time_zone }, NOW)).toBe(quiet)
})
