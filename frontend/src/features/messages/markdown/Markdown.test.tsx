import { cleanup, fireEvent, render } from '@testing-library/react'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { MAX_PIECES } from '@/lib/text/rich'
import Markdown from './Markdown'
import { tokensOf } from './parser'
import { expectLinear } from '@/testing/growth'

afterEach(cleanup)

const show = (body: string, folded = false): HTMLElement => {
  const mentioned = new Set(['ada', '_eve_'])
  const { container } = render(
    <Markdown body={body} mentioned={mentioned} own="ada" folded={folded}>
      {null}
    </Markdown>,
  )
  return container.firstElementChild as HTMLElement
}

/** As markup, without what is for the eye. */
const markup = (body: string): string =>
  show(body).innerHTML.replace(
    / (?:class|dir|tabindex|rel|target|title|role|aria-label|data-language|scope)="[^"]*"/g,
    '',
  )

describe('what one writes', () => {
  test.each([
    ['**b** *i* _i_ ~~s~~', '<p><strong>b</strong> <em>i</em> <em>i</em> <s>s</s></p>'],
    ['***both***', '<p><em><strong>both</strong></em></p>'],
    ['2 * 3 * 4, a_b_c, x || y || z', '<p>2 * 3 * 4, a_b_c, x || y || z</p>'],
    ['one\ntwo **x**', '<p>one\ntwo <strong>x</strong></p>'],
    ['- a\n- **b**', '<ul>\n<li>a</li>\n<li><strong>b</strong></li></ul>'.replaceAll('\n', '')],
    ['3. a\n4. b', '<ol start="3"><li>a</li><li>b</li></ol>'],
    ['> said\n> twice', '<blockquote><p>said\ntwice</p></blockquote>'],
    ['# no heading `x`', '<p># no heading <code>x</code></p>'],
    ['[a *b*](https://x.example/_y_)', '<p><a href="https://x.example/_y_">a <em>b</em></a></p>'],
    ['![a](https://x.example/a.png)', '<p><a href="https://x.example/a.png">a</a></p>'],
    [
      '**https://x.example/a_b_c**',
      '<p><strong><a href="https://x.example/a_b_c">https://x.example/a_b_c</a></strong></p>',
    ],
    ['~~https://x.example~~', '<p><s><a href="https://x.example">https://x.example</a></s></p>'],
    ['[https://a.example](https://b.example)', '<p><a href="https://b.example">https://a.example</a></p>'],
    [
      '**@ada** @_eve_',
      '<p><strong><bdi data-mention="me">@ada</bdi></strong> <bdi data-mention="">@_eve_</bdi></p>',
    ],
    ['`@ada **x**`', '<p><code>@ada **x**</code></p>'],
    ['\\*no\\* **b**', '<p>*no* <strong>b</strong></p>'],
    ['&amp; <b>x</b> **b**', '<p>&amp;amp; &lt;b&gt;x&lt;/b&gt; <strong>b</strong></p>'],
    ['a ```x``` b', '<p>a</p><pre>x</pre><p>b</p>'],
    ['```a\nx\n```', '<pre>x</pre>'],
    ['```c\r\nx```', '<pre>x</pre>'],
    ['- a\n  ```\n  x\n  ```', '<ul><li>a<pre>x</pre></li></ul>'],
    [
      '|a|b|\n|-|:-:|\n|1|**2**|',
      '<div><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td><strong>2</strong></td></tr></tbody></table></div>',
    ],
  ])('%j', (body, expected) => {
    expect(markup(body)).toBe(expected)
  })

  test.each([
    '[a](javascript:alert(1))',
    '[a](data:text/html,x)',
    '[a](JaVaScRiPt&colon;alert(1))',
    '[a](//x.example)',
    '![a](vbscript:x)',
    '<img src=x onerror=alert(1)> **b**',
    '<https://x.example" onmouseover="a> **b**',
    '[a][b]\n\n[b]: javascript:x',
  ])('%j: nothing runs and nothing is loaded', (body) => {
    const text = show(body)
    expect(text.querySelector('img, script, iframe, [onerror], [onmouseover]')).toBeNull()
    for (const link of text.querySelectorAll('a')) expect(link.getAttribute('href')).toMatch(/^https?:/)
  })

  test('a link opens without opener', () => {
    const link = show('[a](https://x.example)').querySelector('a')
    expect(link?.rel).toBe('noopener noreferrer nofollow')
    expect(link?.target).toBe('_blank')
  })
})

test('a spoiler is revealed by a click and by keys; before, nothing in it can be reached', () => {
  const text = show('it was ||the **butler** at https://x.example|| and ||nobody||')
  const hidden = [...text.querySelectorAll('[data-spoiler=hidden]')]
  expect(hidden.map((spoiler) => spoiler.firstElementChild?.hasAttribute('inert'))).toEqual([true, true])
  fireEvent.click(hidden[0] as Element)
  fireEvent.keyDown(hidden[1] as Element, { key: 'Enter' })
  const shown = [...text.querySelectorAll('[data-spoiler=shown]')]
  expect(shown.map(({ textContent }) => textContent)).toEqual(['the butler at https://x.example', 'nobody'])
  expect(document.activeElement).toBe(shown[1])
  expect(text.querySelector('strong')?.textContent).toBe('butler')
})

const NASTY = [
  '*',
  '**a ',
  '*a ',
  '_',
  '_a ',
  '~',
  '~~a ',
  '|',
  '||a ',
  '||',
  '[',
  '[]',
  '[a](',
  '](',
  '![',
  '[a](b)',
  '(',
  '`',
  '`a',
  '``a`',
  '> ',
  '>',
  '>\n',
  '- ',
  '- a\n',
  '* * ',
  '1. ',
  ' - a\n  - b\n',
  '|a',
  '|-',
  '|a|\n|-|\n|b|\n\n',
  '|a|b|c\n-|-|-\n',
  '\\',
  '\\*',
  '```\n',
  '```',
  '~~~\n',
  '<',
  '<a',
  '&',
  '@ada ',
  'https://a ',
  '[a](https://b) ',
  '\n',
  ' \n',
  '\t',
  '    a\n',
  '[[a](https://b)',
  '*_',
  '**_~~||',
  'a**b',
  '||a||',
  '😀*',
  '\u0000',
]
const LONGEST = 8_000

const read = (body: string): void => {
  tokensOf(body, new Set(['ada']))
}

describe('hostile texts', () => {
  test.each(NASTY)(
    '8,000 characters of %j: read at once, no more elements than a page can bear, and no words are lost',
    (part) => {
      const body = `${part.repeat(LONGEST).slice(0, LONGEST - 7)}the end`
      expectLinear(read, (length) => part.repeat(length).slice(0, length))
      const text = show(body)
      expect(text.querySelectorAll('*').length).toBeLessThan(4 * MAX_PIECES)
      expect(text.textContent).toContain('the end')
    },
  )

  test('one that is folded has no more than is seen', () => {
    const text = show('- **a** b\n'.repeat(800), true)
    expect(text.querySelectorAll('li').length).toBeLessThan(40)
  })

  test('whatever is mixed: read at once', () => {
    const parts = fc.array(fc.constantFrom(...NASTY), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(parts, (mixed) => {
        expectLinear(read, (length) => mixed.join('').repeat(length).slice(0, length))
      }),
      { numRuns: 40 },
    )
  })

  test('deep in one another: the words stay', () => {
    expect(show(`${'> '.repeat(200)}deep`).textContent).toContain('deep')
    expect(show(`${'- '.repeat(200)}deep`).textContent).toContain('deep')
  })
})
