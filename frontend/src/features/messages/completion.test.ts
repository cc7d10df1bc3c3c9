import { expect, test } from 'vitest'
import { begunAt, endedAt } from './completion'

const atEnd = (text: string) => begunAt(text, text.length)

test.each([
  ['@', { kind: 'mention', typed: '', start: 0 }],
  ['hello @ad', { kind: 'mention', typed: 'ad', start: 6 }],
  ['(@ada.l', { kind: 'mention', typed: 'ada.l', start: 1 }],
  ['so :sm', { kind: 'emoji', typed: 'sm', start: 3 }],
  [':+1', { kind: 'emoji', typed: '+1', start: 0 }],
])('%j begins something', (text, begun) => {
  expect(atEnd(text)).toEqual(begun)
})

test.each([
  '',
  'hello',
  'a@b',
  'mail ada@example',
  'at 10:30',
  'https://x.example:80',
  ':s',
  '@ada ',
  'a:b:c',
])('%j begins nothing', (text) => {
  expect(atEnd(text)).toBeNull()
})

test('only what stands before the caret counts', () => {
  expect(begunAt('@ada hello', 3)).toEqual({ kind: 'mention', typed: 'ad', start: 0 })
})

test('a shortcode ends with its second colon', () => {
  expect(endedAt('fine :tada:', 11)).toEqual({ kind: 'emoji', typed: 'tada', start: 5 })
  expect(endedAt('10:30:', 6)).toBeNull()
  expect(endedAt('::', 2)).toBeNull()
})
