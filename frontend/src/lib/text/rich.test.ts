import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codePoints, isEmojiOnly, oneLine, piecesOf } from './rich'

const links = (body: string): string[] =>
  piecesOf(body).flatMap((piece) => (piece.kind === 'link' ? [piece.href] : []))

describe('piecesOf', () => {
  test.each([
    ['javascript:alert(1)'],
    ['data:text/html,<b>x</b>'],
    ['ftp://example.org/file'],
    ['file:///etc/passwd'],
    ['xhttps//example.org'],
    ['http://'],
  ])('%s is no link', (body) => {
    expect(links(body)).toEqual([])
  })

  test.each([
    ['see https://example.org.', 'https://example.org'],
    ['(https://example.org/a?b=c&d=1#e)', 'https://example.org/a?b=c&d=1#e'],
    ['https://en.wikipedia.org/wiki/Talk_(film)', 'https://en.wikipedia.org/wiki/Talk_(film)'],
    ['“http://example.org/”!', 'http://example.org/'],
    ['www.example.org/x', 'https://www.example.org/x'],
    ['https://example.org/ä/東京', 'https://example.org/ä/東京'],
  ])('%s links to %s', (body, href) => {
    expect(links(body)).toEqual([href])
  })

  test('code is code, and nothing in it is a link', () => {
    expect(piecesOf('a `https://example.org` b')).toEqual([
      { kind: 'text', text: 'a ' },
      { kind: 'code', text: 'https://example.org' },
      { kind: 'text', text: ' b' },
    ])
    expect(piecesOf('before\n```js\nconst a = `1`\n```\nafter')).toEqual([
      { kind: 'text', text: 'before' },
      { kind: 'block', text: 'const a = `1`' },
      { kind: 'text', text: 'after' },
    ])
  })

  test('whatever is written: every piece is its own text, and links are of the web', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), (body) => {
        for (const piece of piecesOf(body)) {
          expect(body).toContain(piece.text)
          if (piece.kind === 'link') expect(piece.href).toMatch(/^https?:\/\//i)
        }
      }),
    )
  })

  test('a long hostile text takes no time', () => {
    const start = performance.now()
    for (const part of ['`', '```', 'www.', 'https://((((', ')']) piecesOf(part.repeat(8_000 / part.length))
    expect(performance.now() - start).toBeLessThan(500)
  })
})

test.each([
  ['👋', true],
  ['👋 🎉', true],
  ['👩‍👩‍👧', true],
  ['🏳️‍🌈🇫🇷', true],
  ['12', false],
  ['👋 hi', false],
  ['', false],
  ['👋👋👋👋👋👋👋', false],
])('isEmojiOnly(%s) is %s', (body, expected) => {
  expect(isEmojiOnly(body)).toBe(expected)
})

test('codePoints__an emoji__counts as the server counts', () => {
  expect(codePoints('a👋')).toBe(2)
})

test('oneLine__breaks and spaces__one line', () => {
  expect(oneLine('  a\n\n b\tc ')).toBe('a b c')
})
