import { expect, test } from 'vitest'
import { countedUnread, isWanted } from './attention'
import { applyChanges } from './changes'
import { conversation, ME, message, ROOM } from './samples'
import { emptyChat, NO_THREAD } from './state'
import { summaryOf } from './summaries'

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
] as const)('with %o, mentioned %s: notified is %s', (settings, mentioned, wanted) => {
  expect(isWanted(settings, mentioned, NOW)).toBe(wanted)
})

test.each([
  ['all', 2],
  ['mentions', 1],
  ['none', 0],
] as const)('of two unread, one a mention, %s counts %i', (level, counted) => {
  const state = applyChanges(emptyChat(ME), [
    { type: 'conversation', conversation: conversation(0) },
    { type: 'message', message: message(1, 1) },
    { type: 'message', message: message(2, 2, { mentions: [ME] }) },
  ])
  const thread = state.threads[ROOM] ?? NO_THREAD
  const summary = summaryOf(thread, ME)
  if (summary === null) throw new Error('no summary')
  expect(countedUnread(summary, thread.messages, { level, muted_until: null }, ME, NOW)).toBe(counted)
})
