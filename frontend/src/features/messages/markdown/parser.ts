/**
 * Reads a message's Markdown, by markdown-it: bold, italic, strike, spoilers, links, code, lists, quotes and tables. There is
 * no HTML; a picture becomes a link; addresses and mentions are found by the same rules as in a text without any marks.
 *
 * The work is linear: links are found by brackets that are matched once, not by looking on from each of them, tables have
 * a bounded number of cells, and what is nested too deeply is read as text.
 */
import MarkdownIt, { type StateBlock, type StateInline, type Token } from 'markdown-it'
import readTable from 'markdown-it/lib/rules_block/table.mjs'
import { foundIn, type Found } from '@/lib/text/rich'
import { withFencesOnLines } from './fences'

/** What is known while one text is read. */
interface Env {
  mentioned: ReadonlySet<string>
  /** Of all tables together. */
  cells: number
}

/** Quotes and lists in one another; the library would drop what is deeper than its own bound, 100. */
const MAX_DEPTH = 12
const MAX_CELLS = 300

const reader = new MarkdownIt('default', { breaks: true })
// HTML, what is too easily written unintentionally, and what is read by rules of our own.
reader.disable([
  'html_block',
  'html_inline',
  'entity',
  'autolink',
  'reference',
  'code',
  'hr',
  'heading',
  'lheading',
])
reader.disable(['linkify', 'replacements', 'smartquotes', 'image'])

export function tokensOf(body: string, mentioned: ReadonlySet<string>): Token[] {
  const env: Env = { mentioned, cells: 0 }
  return reader.parse(withFencesOnLines(body), env)
}

// Blocks

function readTooDeep(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  if (silent || state.level < MAX_DEPTH) return false
  state.push('paragraph_open', 'p', 1).map = [startLine, endLine]
  const text = state.push('inline', '', 0)
  text.content = state.getLines(startLine, endLine, state.blkIndent, false).trim()
  text.children = []
  state.push('paragraph_close', 'p', -1)
  state.line = endLine
  return true
}

function readBoundedTable(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  const env = state.env as Env
  if (startLine + 1 >= endLine) return false
  const columns = lineOf(state, startLine + 1).split('|').length
  const rows = Math.floor((MAX_CELLS - env.cells) / columns)
  if (rows < 1 || !readTable(state, startLine, Math.min(endLine, startLine + 2 + rows), silent)) return false
  if (!silent) env.cells += columns * (state.line - startLine)
  return true
}

const lineOf = (state: StateBlock, line: number): string =>
  state.src.slice(state.bMarks[line], state.eMarks[line])

reader.block.ruler.before('table', 'too_deep', readTooDeep)
reader.block.ruler.at('table', readBoundedTable, { alt: ['paragraph'] })

// Inline

/** What is found at once in the whole of a text. */
interface Places {
  pieces: ReadonlyMap<number, Found>
  /** The closing bracket of each opening one. */
  brackets: ReadonlyMap<number, number>
  /** Whether the label of a link is being read, in which there are no others. */
  inLabel: boolean
}

const places = new WeakMap<StateInline, Places>()

function placesOf(state: StateInline): Places {
  const known = places.get(state)
  if (known !== undefined) return known
  const { mentioned } = state.env as Env
  const found = foundIn(state.src, mentioned).filter(({ piece }) => piece.kind !== 'code')
  const made = {
    pieces: new Map(found.map((one) => [one.start, one])),
    brackets: bracketsOf(state.src),
    inLabel: false,
  }
  places.set(state, made)
  return made
}

function bracketsOf(text: string): Map<number, number> {
  const pairs = new Map<number, number>()
  const open: number[] = []
  for (const { 0: sign, index } of text.matchAll(/\\.|[[\]]/gs)) {
    if (sign === '[') open.push(index)
    const start = sign === ']' ? open.pop() : undefined
    if (start !== undefined) pairs.set(start, index)
  }
  return pairs
}

function readPiece(state: StateInline, silent: boolean): boolean {
  const found = placesOf(state).pieces.get(state.pos)
  if (found === undefined || found.end > state.posMax) return false
  if (!silent) {
    const { piece } = found
    const isInLink = placesOf(state).inLabel && piece.kind === 'link'
    const token = state.push(isInLink ? 'text' : 'piece', '', 0)
    token.content = piece.text
    token.meta = piece
  }
  state.pos = found.end
  return true
}

const SPECIAL = /[\n*[!\\`_~|]/g

function readText(state: StateInline, silent: boolean): boolean {
  const { pieces } = placesOf(state)
  SPECIAL.lastIndex = state.pos
  const special = SPECIAL.exec(state.src)?.index ?? state.posMax
  let end = Math.min(special, state.posMax)
  // A piece may begin at any letter.
  for (let at = state.pos; at < end; at += 1) if (pieces.has(at)) end = at
  if (end === state.pos) return false
  if (!silent) state.pending += state.src.slice(state.pos, end)
  state.pos = end
  return true
}

const DESTINATION =
  /\([^\S\n]*(?:<([^<>\n]*)>|((?:[^\s()\\]|\\.|\([^\s()]*\))*))(?:[^\S\n]+"[^"\n]*")?[^\S\n]*\)/y

/** `[label](address)`, and `![label](address)`, which is a link too: nothing is loaded from elsewhere. */
function readLink(state: StateInline, silent: boolean): boolean {
  const start = state.src[state.pos] === '!' ? state.pos + 1 : state.pos
  const known = placesOf(state)
  if (state.src[start] !== '[' || known.inLabel) return false
  const close = known.brackets.get(start)
  if (close === undefined || close >= state.posMax) return false
  DESTINATION.lastIndex = close + 1
  const destination = DESTINATION.exec(state.src)
  const href = destination === null ? null : hrefOf(destination[1] ?? destination[2] ?? '')
  if (href === null || DESTINATION.lastIndex > state.posMax) return false
  const end = close + 1 + (destination?.[0].length ?? 0)
  if (!silent) {
    const { posMax } = state
    state.push('link_open', 'a', 1).attrs = [['href', href]]
    state.pos = start + 1
    state.posMax = close
    known.inLabel = true
    if (close === start + 1) state.push('text', '', 0).content = href
    else state.md.inline.tokenize(state)
    known.inLabel = false
    state.posMax = posMax
    state.push('link_close', 'a', -1)
  }
  state.pos = end
  return true
}

/** An address of the web or of mail; null for any other. */
function hrefOf(written: string): string | null {
  const address = written.replace(/\\([()\\_*])/g, '$1')
  const href = /^www\./i.test(address) ? `https://${address}` : address
  return /^(?:https?:\/\/|mailto:)/i.test(href) && URL.canParse(href) ? href : null
}

const BAR = 0x7c

/** `||text||`: as the library's strike does it, for another mark. */
function readSpoilerMark(state: StateInline, silent: boolean): boolean {
  if (silent || state.src.charCodeAt(state.pos) !== BAR) return false
  const scanned = state.scanDelims(state.pos, true)
  if (scanned.length !== 2) {
    // Passed over as a whole: a run is looked at once.
    state.pending += '|'.repeat(scanned.length)
    state.pos += scanned.length
    return true
  }
  state.push('text', '', 0).content = '||'
  state.delimiters.push({
    marker: BAR,
    length: 0,
    token: state.tokens.length - 1,
    end: -1,
    open: scanned.can_open,
    close: scanned.can_close,
  })
  state.pos += 2
  return true
}

function pairSpoilers(state: StateInline): boolean {
  const lists = [state.delimiters, ...state.tokens_meta.map((meta) => meta?.delimiters ?? [])]
  for (const delimiters of new Set(lists)) {
    for (const { marker, token, end } of delimiters) {
      const closing = delimiters[end]
      if (marker !== BAR || closing === undefined) continue
      become(state.tokens[token], 'spoiler_open', 1)
      become(state.tokens[closing.token], 'spoiler_close', -1)
    }
  }
  return true
}

function become(token: Token | undefined, type: string, nesting: 1 | -1): void {
  if (token !== undefined) Object.assign(token, { type, nesting, tag: 'span', content: '' })
}

reader.inline.ruler.at('text', readText)
reader.inline.ruler.before('text', 'piece', readPiece)
reader.inline.ruler.at('link', readLink)
reader.inline.ruler.before('emphasis', 'spoiler', readSpoilerMark)
reader.inline.ruler2.before('emphasis', 'spoiler', pairSpoilers)
