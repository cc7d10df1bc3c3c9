/**
 * A message's text as pieces that a view can render without ever building HTML: text, links (http, https and mailto only),
 * mentions, inline code and code blocks. What is no piece of these stays text.
 *
 * Every reader pays for what one user writes, so the work is linear: each character is looked at a fixed number of times,
 * whatever the text, and a text makes no more than `MAX_PIECES` pieces.
 */

export type Piece =
  | { kind: 'text'; text: string }
  | { kind: 'link'; text: string; href: string }
  | { kind: 'mention'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'block'; text: string }

/** Beyond so many pieces the rest is shown as it was written. */
export const MAX_PIECES = 300

const NO_USERNAMES: ReadonlySet<string> = new Set()
const FENCE = '```'
const LANGUAGE = /^[\w+#.-]*[ \t]*\n/

/** `mentioned` has the usernames that the server found in it. */
export function piecesOf(body: string, mentioned: ReadonlySet<string> = NO_USERNAMES): Piece[] {
  const text = body.replace(/\r\n?/g, '\n')
  const pieces: Piece[] = []
  let end = 0
  while (pieces.length < MAX_PIECES) {
    const start = text.indexOf(FENCE, end)
    const close = start === -1 ? -1 : text.indexOf(FENCE, start + FENCE.length + 1)
    if (close === -1) break
    inline(text.slice(end, start).replace(/\n$/, ''), mentioned, pieces)
    pieces.push({ kind: 'block', text: codeOf(text.slice(start + FENCE.length, close)) })
    end = close + FENCE.length
    if (text[end] === '\n') end += 1
  }
  inline(text.slice(end), mentioned, pieces)
  return pieces
}

/** What stands between the fences, without the language and the last line's end. */
function codeOf(fenced: string): string {
  const code = fenced.replace(LANGUAGE, '')
  return code.endsWith('\n') ? code.slice(0, -1) : code
}

/** A piece, and where it stands. */
export interface Found {
  piece: Exclude<Piece, { kind: 'text' | 'block' }>
  start: number
  end: number
}

/** Where a piece may begin; an address of another kind is no link, but there are no mentions in it either. */
const SIGN = /`|@|\bhttps?:\/\/|\bwww\.|:\/\/|\bmailto:/gi

/** The links, mentions and code in a text without blocks; no more than make `most` pieces with what is between them. */
export function foundIn(text: string, mentioned: ReadonlySet<string>, most = MAX_PIECES): Found[] {
  const all: Found[] = []
  let end = 0
  let addressEnd = 0
  let pieces = 0
  SIGN.lastIndex = 0
  for (let sign = SIGN.exec(text); sign !== null && pieces < most; sign = SIGN.exec(text)) {
    const at = sign.index
    const isAddress = sign[0] !== '`' && sign[0] !== '@'
    if (isAddress && at >= addressEnd) addressEnd = endOf(ADDRESS, text, at)
    const found = pieceAt(text, at, sign[0], end, at < addressEnd ? NO_USERNAMES : mentioned)
    if (found !== null) {
      pieces += found.start > end ? 2 : 1
      all.push(found)
      end = SIGN.lastIndex = found.end
    } else if (isAddress && sign[0] !== 'mailto:') {
      SIGN.lastIndex = Math.max(SIGN.lastIndex, addressEnd)
    }
  }
  return all
}

function inline(text: string, mentioned: ReadonlySet<string>, pieces: Piece[]): void {
  let end = 0
  for (const found of foundIn(text, mentioned, MAX_PIECES - pieces.length)) {
    pushText(pieces, text.slice(end, found.start))
    pieces.push(found.piece)
    end = found.end
  }
  pushText(pieces, text.slice(end))
}

function pieceAt(
  text: string,
  at: number,
  sign: string,
  from: number,
  mentioned: ReadonlySet<string>,
): Found | null {
  if (sign === '`') return codeAt(text, at)
  if (sign === '@') return mentionAt(text, at, mentioned) ?? mailAt(text, at, from)
  return /^(?:http|www)/i.test(sign) ? linkAt(text, at) : null
}

function pushText(pieces: Piece[], text: string): void {
  if (text !== '') pieces.push({ kind: 'text', text })
}

/** Where a sticky pattern that begins at `from` ends; `from` itself when it does not match. */
function endOf(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from
  return pattern.test(text) ? pattern.lastIndex : from
}

const CODE = /`[^`\n]+`/y

function codeAt(text: string, start: number): Found | null {
  const end = endOf(CODE, text, start)
  return end === start ? null : { piece: { kind: 'code', text: text.slice(start + 1, end - 1) }, start, end }
}

// Links

const ADDRESS = /[^\s<>"。，、；：！？「」『』（）《》【】]+/y
const NOT_IN_ADDRESS = /[\s<>"。，、；：！？「」『』（）《》【】]/
/** Ends that belong to the sentence, not to the address. */
const TRAILING = ".,:;!?'*~|_”’“‘"
const OPENING = '([{'
const CLOSING = ')]}'

function linkAt(text: string, start: number): Found | null {
  const end = linkEnd(text, start)
  const address = text.slice(start, end)
  const named = /^www\./i.test(address)
  if (named && !/^www\.[^.]+\../i.test(address)) return null
  const href = named ? `https://${address}` : address
  return URL.canParse(href) ? { piece: { kind: 'link', text: address, href }, start, end } : null
}

/** A closing bracket belongs to the address that opened it: https://en.wikipedia.org/wiki/Talk_(film) */
function linkEnd(text: string, start: number): number {
  let end = start
  const open = [0, 0, 0]
  for (; end < text.length; end += 1) {
    const character = text.charAt(end)
    if (NOT_IN_ADDRESS.test(character)) break
    const opened = OPENING.indexOf(character)
    const closed = CLOSING.indexOf(character)
    if (opened !== -1) open[opened] = (open[opened] ?? 0) + 1
    if (closed !== -1) {
      if (open[closed] === 0) break
      open[closed] = (open[closed] ?? 0) - 1
    }
  }
  while (end > start && TRAILING.includes(text.charAt(end - 1))) end -= 1
  return end
}

const LOCAL = /[a-z0-9._%+-]/i
const MAX_LOCAL = 64
const DOMAIN = /@(?:[a-z0-9][a-z0-9-]{0,62}\.)+[a-z]{2,63}(?![\p{Alphabetic}\p{N}@_-])/iuy

function mailAt(text: string, at: number, from: number): Found | null {
  let start = at
  while (start > from && at - start < MAX_LOCAL && LOCAL.test(text.charAt(start - 1))) start -= 1
  while (start < at && '.-'.includes(text.charAt(start))) start += 1
  if (start === at || ON_A_WORD.test(text.slice(Math.max(0, start - 2), start))) return null
  const end = endOf(DOMAIN, text, at)
  if (end === at) return null
  const address = text.slice(start, end)
  return { piece: { kind: 'link', text: address, href: `mailto:${address}` }, start, end }
}

// Mentions, by the server's rule

const ON_A_WORD = /[\p{Alphabetic}\p{M}\p{N}\p{Pc}]$/u
const BEFORE_MENTION = /[\p{Alphabetic}\p{M}\p{N}\p{Pc}.@/\\+=&#%~$-]$/u
const NAME = /@[a-z0-9_.-]{3,}(?![\p{Alphabetic}\p{M}\p{N}\p{Pc}@/\\.-])/iuy
const MIN_NAME = 3
const MAX_NAME = 32

/** The longest name that is meant: `@ada.` is `ada.`, or `ada` and a stop. */
function mentionAt(text: string, at: number, mentioned: ReadonlySet<string>): Found | null {
  if (mentioned.size === 0 || BEFORE_MENTION.test(text.slice(Math.max(0, at - 2), at))) return null
  const last = endOf(NAME, text, at) - at - 1
  for (let length = Math.min(last, MAX_NAME); length >= MIN_NAME; length -= 1) {
    const end = at + 1 + length
    if (mentioned.has(text.slice(at + 1, end).toLowerCase()))
      return { piece: { kind: 'mention', text: text.slice(at, end) }, start: at, end }
    if (!'._-'.includes(text.charAt(end - 1))) return null
  }
  return null
}

const EMOJI_ONLY = /^(?:\p{RGI_Emoji}|\s)+$/v

/** One to six emoji and nothing else. */
export function isEmojiOnly(body: string): boolean {
  if (body.length > 64 || !EMOJI_ONLY.test(body)) return false
  const graphemes = [...new Intl.Segmenter().segment(body.replace(/\s/g, ''))].length
  return graphemes >= 1 && graphemes <= 6
}

/** One line, for lists and notifications. */
export const oneLine = (body: string): string => body.replace(/\s+/g, ' ').trim().slice(0, 200)

/** Characters as the server counts them: Unicode code points. */
export function codePoints(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}
