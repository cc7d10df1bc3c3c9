import { describe, expect, test } from 'vitest'
import { ago, dayInWords, shortTime, sizeInWords, playingTime } from './format'

const NOW = new Date(2026, 2, 12, 15, 0).getTime()
const before = (parts: { minutes?: number; hours?: number; days?: number }): string =>
  new Date(
    NOW - ((parts.minutes ?? 0) + (parts.hours ?? 0) * 60 + (parts.days ?? 0) * 1440) * 60_000,
  ).toISOString()

test.each([
  [{ minutes: 0 }, 'now'],
  [{ minutes: 1 }, '1 minute ago'],
  [{ minutes: 5 }, '5 minutes ago'],
  [{ hours: 3 }, '3 hours ago'],
  [{ days: 1 }, 'yesterday'],
  [{ days: 6 }, '6 days ago'],
])('ago(%o) is %s', (parts, words) => {
  expect(ago(before(parts), NOW)).toBe(words)
})

test('ago__a clock that is ahead__now, never in the future', () => {
  expect(ago(new Date(NOW + 60_000).toISOString(), NOW)).toBe('now')
})

describe('days go by the calendar, not by 24 hours', () => {
  test('a quarter of an hour ago, before midnight: yesterday', () => {
    const justAfterMidnight = new Date(2026, 2, 12, 0, 5).getTime()
    const late = new Date(2026, 2, 11, 23, 55).toISOString()
    expect(dayInWords(late, justAfterMidnight)).toBe('Yesterday')
    expect(shortTime(late, justAfterMidnight)).toBe('Yesterday')
  })

  test('today, a weekday, a date', () => {
    expect(dayInWords(before({ hours: 2 }), NOW)).toBe('Today')
    expect(dayInWords(before({ days: 3 }), NOW)).toBe('Monday')
    expect(dayInWords(before({ days: 400 }), NOW)).toMatch(/2025/)
  })
})

test.each([
  [340, '340 byte'],
  [12_400, '12 kB'],
  [999_600, '1 MB'],
  [26_214_400, '26.2 MB'],
])('%d bytes in words: %s', (bytes, words) => {
  expect(sizeInWords(bytes)).toBe(words)
})

test.each([
  [6.6, '0:07'],
  [225, '3:45'],
  [3729, '1:02:09'],
])('%d seconds in words: %s', (seconds, words) => {
  expect(playingTime(seconds)).toBe(words)
})
