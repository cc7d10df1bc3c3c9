/** How long the longest messages take to render: script, style and layout of one message, in a real browser. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import type { Page } from '@playwright/test'
import { build } from 'vite'
import { expect, test } from './users'
import type { Timing } from './rendering/page'

const LENGTH = 8_000
const REPEATS = 9
/** One frame at 60 per second. */
const FRAME_MS = 16
/** On a machine that needs more than 0.4 ms for plain words as one node, as many times that. */
const TIMES_PLAIN = 40

const fill = (part: string): string => {
  const characters = [...part.repeat(Math.ceil(LENGTH / [...part].length))]
  return characters.slice(0, LENGTH).join('')
}

const WORDS = 'the quick brown fox jumps over the lazy dog and then it sleeps for a while '
const HEBREW = 'שלום לכולם '
const ARABIC = 'السلام عليكم '

const KINDS: Record<string, string> = {
  'plain words': fill(WORDS),
  'one long word': fill('a'),
  'one letter a line': fill('a\n'),
  'all emoji': fill('😀'),
  'joined emoji': fill('👩‍👩‍👧‍👦'),
  flags: fill('🇩🇪🇫🇷'),
  'mixed directions': fill(`hello ${HEBREW}world ${ARABIC}`),
  'direction marks': fill('\u202eab\u202c\u2067cd\u2069 '),
  Arabic: fill(ARABIC),
  Chinese: fill('请看这段很长的文字，没有空格。'),
  Thai: fill('ภาษาไทยไม่มีช่องว่างระหว่างคำ'),
  'combining marks': fill(`Z${'\u0300\u0301\u0302\u0303\u0304\u0305'.repeat(10)}`),
  'one letter and combining marks': `Z${fill('\u0301').slice(1)}`,
  'many letters with 100 marks each': fill(`Z${'\u0301'.repeat(100)}`),
  'many letters with 800 marks each': fill(`Z${'\u0301'.repeat(800)}`),
  links: fill('https://a.b '),
  'one long link': `https://a.example/${fill('a').slice(18)}`,
  'mail addresses': fill('a@b.co '),
  mentions: fill('@ada '),
  'code marks': fill('`a` '),
  'open code marks': fill('`'),
  'code blocks': fill('```a```'),
  'one code block': `\`\`\`\n${fill(WORDS).slice(8)}\n\`\`\``,
  stars: fill('*'),
  'bold words': fill('**a** '),
  brackets: fill('['),
  'named links': fill('[a](https://b.c) '),
  'quotes in quotes': fill('>'),
  'a list': fill('- a\n'),
  tables: fill('|a|\n|-|\n|b|\n\n'),
  spoilers: fill('||a|| '),
  'every kind': fill('😀 `a` @ada https://a.b שלום Z\u0301\n'),
}

let site: string

test.beforeAll(async () => {
  site = await mkdtemp(join(tmpdir(), 'synctalk-rendering-'))
  await build({
    logLevel: 'error',
    build: {
      outDir: site,
      emptyOutDir: true,
      rolldownOptions: { input: 'e2e/rendering/page.tsx', output: { entryFileNames: 'page.js' } },
    },
  })
})

test.afterAll(() => rm(site, { recursive: true, force: true }))

const TYPES: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css' }

async function openRenderer(page: Page): Promise<void> {
  const files = await readdir(site, { recursive: true })
  const styles = files.filter((file) => file.endsWith('.css'))
  const links = styles.map((file) => `<link rel="stylesheet" href="/rendering/${file}">`).join('')
  await page.route('**/rendering/**', async (route) => {
    const path = new URL(route.request().url()).pathname.replace('/rendering/', '')
    if (path !== '') {
      const body = await readFile(join(site, path))
      return route.fulfill({ body, contentType: TYPES[extname(path)] ?? 'application/octet-stream' })
    }
    const script = '<script type="module" src="/rendering/page.js"></script>'
    return route.fulfill({
      body: `<!doctype html><meta charset="utf-8">${links}<body>${script}</body>`,
      contentType: 'text/html',
    })
  })
  await page.goto('/rendering/')
  await page.waitForFunction(() => 'timeMessage' in window)
}

const least = (values: readonly number[]): number => Math.min(...values)

/** The fastest of several, as in the others the browser had to wait for the processor. */
async function time(page: Page, body: string): Promise<Timing & { first: number }> {
  const timings: Timing[] = []
  for (let n = 0; n < REPEATS; n += 1) {
    timings.push(await page.evaluate((text) => window.timeMessage(text, ['ada']), body))
  }
  return {
    first: timings[0]?.message ?? 0,
    message: least(timings.map(({ message }) => message)),
    plain: least(timings.map(({ plain }) => plain)),
    elements: timings[0]?.elements ?? 0,
  }
}

test('8,000 characters of any kind render within a frame', async ({ page }, info) => {
  await openRenderer(page)
  await page.evaluate(() => window.loadMarkdown())
  await time(page, 'warm up')
  const { plain: usual } = await time(page, fill(WORDS))
  const limit = Math.max(FRAME_MS, usual * TIMES_PLAIN)
  const report: string[] = []
  const slow: string[] = []
  for (const [kind, body] of Object.entries(KINDS)) {
    const { first, message, plain, elements } = await time(page, body)
    const figures = `${kind}: ${message.toFixed(1)} ms, first ${first.toFixed(1)} ms, as plain text ${plain.toFixed(1)} ms, ${String(elements)} elements`
    report.push(figures)
    if (message > limit) slow.push(figures)
  }
  await info.attach('rendering times', { body: report.join('\n'), contentType: 'text/plain' })
  expect(slow, report.join('\n')).toEqual([])
})
