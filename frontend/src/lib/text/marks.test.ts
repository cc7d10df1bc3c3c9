import { expect, test } from 'vitest'
import { hasMarks, withoutMarks } from './marks'
import { expectLinear } from '@/testing/growth'

test.each([
  'plain words',
  '2 * 3 * 4',
  'snake_case_name',
  'a - b, 5 > 3',
  'so (see below) [1]',
  '¯\\_(ツ)_/¯',
  'https://x.example/a_b',
  'really?! ~5 €, 50% | or so',
  '@ada look',
])('%j has none', (text) => {
  expect(hasMarks(text)).toBe(false)
  expect(withoutMarks(text)).toBe(text)
})

test.each([
  ['**bold** and *it* and ***both***', 'bold and it and both'],
  ['**bold _and_ ~~more~~**', 'bold and more'],
  ['__b__ _i_ a_b_c', 'b i a_b_c'],
  ['`a*b*c` *d*', 'a*b*c d'],
  ['```js\nlet a = **b**\n```', 'let a = **b**\n'],
  ['```x```', 'x'],
  ['the ||butler|| did it', 'the ▒▒▒ did it'],
  ['||**all** of it||', '▒▒▒'],
  ['[a *b*](https://x.example) ![p](https://x.example/p.png)', 'a b p'],
  ['> quoted\n> > twice', 'quoted\ntwice'],
  ['- one\n- two', 'one\ntwo'],
  ['\\*not\\* `x`', '*not* x'],
  ['2 * 3 * 4 `x`', '2 * 3 * 4 x'],
])('%j reads as %j', (text, words) => {
  expect(hasMarks(text)).toBe(true)
  expect(withoutMarks(text)).toBe(words)
})

test.each([
  '*',
  '*a ',
  '**a',
  '_',
  '_a ',
  '~',
  '~~a',
  '|',
  '||a',
  '[',
  '[a',
  '](',
  '[a](',
  '`',
  '`a',
  '```a',
  '> ',
  '- ',
  '|-',
  '| ',
  '-  ',
  ' ',
  '\\',
  '1. ',
  '>*_~',
])('8,000 characters of %j: read at once', (part) => {
  expectLinear(withoutMarks, (length) => part.repeat(length).slice(0, length))
})
