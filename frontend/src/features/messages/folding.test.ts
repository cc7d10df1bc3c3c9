import { expect, test } from 'vitest'
import type { Piece } from '@/lib/text/rich'
import { cutToFold, FOLDED_LINES, isLong, linesIn, withoutGaps, withoutPiles } from './folding'
import { expectLinear } from '@/testing/growth'

test.each([
  ['one', 'one'],
  ['\n \n  one\n\n \n', '  one'],
  ['one\n\n\ntwo', 'one\n\n\ntwo'],
  [`one${'\n'.repeat(11)}two`, 'one\n\n\ntwo'],
  ['one\n \n\t\n \n  two', 'one\n\n\n  two'],
  ['```\na\n\n\n\n\nb\n```', '```\na\n\n\n\n\nb\n```'],
  [`x\n\n\n\n\n\`\`\`\na\n\n\n\n\nb\n\`\`\`\n\n\n\n\ny`, 'x\n\n\n```\na\n\n\n\n\nb\n```\n\n\ny'],
])('withoutGaps(%j) is %j', (body, shown) => {
  expect(withoutGaps(body)).toBe(shown)
})

test('isLong__many lines, or few that are long__long', () => {
  expect(isLong('short')).toBe(false)
  expect(isLong('line\n'.repeat(20))).toBe(false)
  expect(isLong('line\n'.repeat(40))).toBe(true)
  expect(isLong('x'.repeat(8_000))).toBe(true)
  expect(isLong(`x${'\n'.repeat(7_900)}y`)).toBe(true)
  expect(linesIn('')).toBe(1)
})

test('withoutGaps__eight thousand characters of any shape__take no time', () => {
  for (const shape of ['\n', ' \n', '\n ', ' ', '`', '```\n', '\n\n\n\n`'])
    expectLinear(withoutGaps, (length) => `a${shape.repeat(length / shape.length)}b`)
})

const text = (body: string): Piece => ({ kind: 'text', text: body })

test.each([
  ['Z\u0301', 'Z\u0301'],
  [`Z${'\u0301'.repeat(8_000)}y`, `Z${'\u0301'.repeat(100)}y`],
  [`Z${'\u{1e8d0}'.repeat(500)}`, `Z${'\u{1e8d0}'.repeat(100)}`],
])('withoutPiles__more marks than are seen__are cut', (body, shown) => {
  expect(withoutPiles(body)).toBe(shown)
})

test('cutToFold__what may be seen__stays', () => {
  const narrow = [text('i'.repeat(227 * FOLDED_LINES))]
  const lines = [text('a\n'.repeat(FOLDED_LINES))]
  const marks = [text(`Z${'\u0301'.repeat(60)}`.repeat(120))]
  const code: Piece[] = [{ kind: 'block', text: 'a'.repeat(8_000) }]
  for (const pieces of [narrow, lines, marks, code]) expect(cutToFold(pieces)).toEqual(pieces)
})

test('cutToFold__what is below the fold__is cut, and what comes after it', () => {
  const lines = cutToFold([text('a\n'.repeat(20)), text('b\n'.repeat(4_000)), text('c')])
  expect(lines).toEqual([text('a\n'.repeat(20)), text('b\n'.repeat(12))])
  const [long] = cutToFold([text('x'.repeat(8_000))])
  expect(long?.text).toHaveLength(4_800)
})
