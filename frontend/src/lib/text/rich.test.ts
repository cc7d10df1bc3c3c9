import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codePoints, isEmojiOnly, MAX_PIECES, oneLine, piecesOf } from './rich'
import { expectLinear } from '@/testing/growth'

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
          expect(body.replace(/\r\n?/g, '\n')).toContain(piece.text)
          if (piece.kind === 'link') expect(piece.href).toMatch(/^(?:https?:\/\/|mailto:)/i)
        }
      }),
    )
  })

  test.each([
    ['请看 https://example.com/docs。谢谢', 'https://example.com/docs'],
    ['「https://example.com/a」と', 'https://example.com/a'],
    ['（https://example.com）', 'https://example.com'],
    ['[docs](https://example.com/a)next', 'https://example.com/a'],
    ['[https://example.com/a_(b)]', 'https://example.com/a_(b)'],
    ['**https://example.com**', 'https://example.com'],
    ['mail a@b.co!', 'mailto:a@b.co'],
    ['mailto:first.last+tag@mail.example.org.', 'mailto:first.last+tag@mail.example.org'],
  ])('%s links to %s and no further', (body, href) => {
    expect(links(body)).toEqual([href])
  })

  test.each(['a@b', '@b.co', 'josé@b.co', 'a@b.co@c', 'ftp://user@host.example', 'www.x', 'https://'])(
    '%s is no link either',
    (body) => {
      expect(links(body)).toEqual([])
    },
  )

  test.each([
    '```Python\nx\n```',
    '```js\r\nx\r\n```',
    '```c++\nx```',
    '```C#\nx\n```',
    '```x```',
    '```\nx\n```',
    '``` \nx\n```',
  ])('%j is a block of x', (body) => {
    expect(piecesOf(body)).toEqual([{ kind: 'block', text: 'x' }])
  })

  test('a text of many pieces: beyond the first ones it is shown as written', () => {
    const pieces = piecesOf('`a` '.repeat(2_000))
    expect(pieces.length).toBeLessThanOrEqual(MAX_PIECES + 3)
    expect(pieces.at(-1)?.text).toMatch(/`a` `a` $/)
  })

  // What makes patterns slow: runs of what may end, begin or belong to a piece, with an end that fits none.
  const NASTY = [
    ['https://a', '.', 'a'],
    ['http://a', '.', 'x'],
    ['', '`', ''],
    ['', '```', ''],
    ['', '`a', ''],
    ['', '`\n', ''],
    ['', '``` ', ''],
    ['```', 'a\n', ''],
    ['', 'www.', ''],
    ['', 'https://((((', ''],
    ['', ')https://a', ''],
    ['https://', '([{', ''],
    ['', 'https://a ', ''],
    ['', '@', ''],
    ['', '@ada', ''],
    ['', '@ada.', ''],
    ['', ' @ada', ''],
    ['', 'a', '@b.co'],
    ['', 'a@', ''],
    ['a@', 'b.', '1'],
    ['', 'a@b.', ''],
    ['', '://', ''],
    ['', 'mailto:', ''],
    ['', '*', ''],
    ['x', '\n', 'y'],
    ['', '\r\n', ''],
    ['', '。', ''],
    ['', 'https://a。', ''],
  ] as const
  const MENTIONED = new Set(['ada', 'ada.'])
  const filled = ([head, part, tail]: readonly [string, string, string], length: number): string =>
    `${head}${part.repeat(length).slice(0, length - head.length - tail.length)}${tail}`
  const read = (body: string): void => {
    piecesOf(body, MENTIONED)
  }

  test.each(NASTY)('%j, %j again and again, %j: read at once', (...parts) => {
    expectLinear(read, (length) => filled(parts, length))
  })

  test('whatever nasty parts are mixed: read at once', () => {
    const parts = fc.constantFrom(...NASTY.flat().filter((part) => part !== ''))
    fc.assert(
      fc.property(fc.array(parts, { minLength: 1, maxLength: 12 }), (mixed) => {
        expectLinear(read, (length) => mixed.join('').repeat(length).slice(0, length))
      }),
      { numRuns: 40 },
    )
  })
})

describe('mentions', () => {
  const mentioned = (body: string, ...names: string[]): string[] =>
    piecesOf(body, new Set(names)).flatMap((piece) => (piece.kind === 'mention' ? [piece.text] : []))

  test.each([
    ['hello @bob', '@bob'],
    ['@Bob, look', '@Bob'],
    ['(@bob)', '@bob'],
    ['@bob.', '@bob'],
    ['请@bob', ''],
    ['，@bob', '@bob'],
    ['**@bob**', '@bob'],
  ])('%s mentions %s', (body, found) => {
    expect(mentioned(body, 'bob')).toEqual(found === '' ? [] : [found])
  })

  test('the longest name that is meant', () => {
    expect(mentioned('@ada. @ada.', 'ada', 'ada.')).toEqual(['@ada.', '@ada.'])
    expect(mentioned('@ada.', 'ada')).toEqual(['@ada'])
    expect(mentioned('@adalbert', 'ada')).toEqual([])
    expect(mentioned('@eve', 'ada')).toEqual([])
  })

  test.each([
    '```\n@bob\n```',
    '```py\n@bob\n``` and `@bob`',
    '``@bob``',
    'https://social.example/@bob',
    'https://example.com/?to=(@bob)',
    'https://example.com)@bob',
    'HTTPS://example.com/a,@bob',
    'www.example.com/?(@bob)',
    'mailto:x?cc=,@bob',
    'ftp://example.com/(@bob)',
    'social.example/@bob',
    'josé@bob',
    'हि@bob',
    'иван@bob',
    'e\u0301@bob',
    'a.@bob',
    'a+@bob',
    '@bobé',
    '@bob@example.com',
    '@bob/repository',
  ])('%j mentions nobody', (body) => {
    expect(mentioned(body, 'bob')).toEqual([])
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
