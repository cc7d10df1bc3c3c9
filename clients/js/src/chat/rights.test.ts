import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { may, mayTo, RIGHTS, type Operation, type Place } from './rights.js'

const WORDS: Record<string, string> = {
  no: 'no',
  yes: 'yes',
  small: 'in a group of up to 20',
  below: 'of lower roles',
}

test('the table is that of the server, row by row', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../../docs/rights.md'), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| |'))
  const theirs = rows.map((row) =>
    row
      .split('|')
      .slice(2, -1)
      .map((cell) => cell.trim()),
  )
  const ours = Object.values(RIGHTS).map((right) => right.map((reach) => WORDS[reach]))
  expect(ours).toEqual(theirs)
})

const group = (role: Place['role'], membersCount = 3, archivedAt: string | null = null): Place => ({
  type: 'group',
  role,
  membersCount,
  archivedAt,
})

test.each([
  ['pin', group('member', 20), true],
  ['pin', group('member', 21), false],
  ['pin', group('moderator', 21), true],
  ['invite', group('moderator'), false],
  ['invite', group('admin'), true],
  ['leave', { type: 'direct', role: 'member', membersCount: 2, archivedAt: null }, false],
] as const)('%s by %o: %s', (operation, place, allowed) => {
  expect(may(operation, place)).toBe(allowed)
})

test.each([
  ['ban', 'moderator', 'member', true],
  ['ban', 'moderator', 'moderator', false],
  ['mute', 'admin', 'moderator', true],
  ['removeMember', 'moderator', 'member', false],
  ['removeMember', 'owner', 'admin', true],
  ['removeMember', 'admin', 'owner', false],
] as const)('%s by a %s to a %s: %s', (operation, role, other, allowed) => {
  expect(mayTo(operation, group(role), other)).toBe(allowed)
})

test('an archived group can be left and taken out of the archive; members and messages may go, and nothing else changes', () => {
  const archived = group('owner', 3, '2026-03-02T12:00:00Z')
  const operations = Object.keys(RIGHTS) as Operation[]
  const goesOn = ['leave', 'archive', 'removeMember', 'deleteMessage', 'seeRevisions', 'deleteGroup', 'ban']
  expect(operations.filter((operation) => may(operation, archived)).sort()).toEqual(goesOn.sort())
  expect(mayTo('mute', archived, 'member')).toBe(false)
  expect(mayTo('ban', archived, 'member')).toBe(true)
  expect(mayTo('removeMember', group('member', 3, '2026-03-02T12:00:00Z'), 'member')).toBe(false)
})
