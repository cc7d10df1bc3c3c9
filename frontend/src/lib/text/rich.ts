/**
 * A message's text as pieces that a view can render without ever building HTML: text, links (http and https only), inline
 * code and code blocks. What is no piece of these stays text.
 */

export type Piece =
  | { kind: 'text'; text: string }
  | { kind: 'link'; text: string; href: string }
  | { kind: 'code'; text: string }
  | { kind: 'block'; text: string }

const BLOCK = /```(?:[a-z0-9+-]*\n)?([\s\S]+?)\n?```/g
const INLINE = /`([^`\n]+)`|(\bhttps?:\/\/[^\s<>"]+|\bwww\.[^\s<>"]+\.[^\s<>"]+)/gi
/** Ends that belong to the sentence, not to the address. */
const TRAILING = /[.,:;!?'"”’)\]}]+$/

export function piecesOf(body: string): Piece[] {
  const pieces: Piece[] = []
  let end = 0
  for (const match of body.matchAll(BLOCK)) {
    inline(body.slice(end, match.index).replace(/\n$/, ''), pieces)
    pieces.push({ kind: 'block', text: match[1] ?? '' })
    end = match.index + match[0].length
    if (body[end] === '\n') end += 1
  }
  inline(body.slice(end), pieces)
  return pieces
}

function inline(text: string, pieces: Piece[]): void {
  let end = 0
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, address] = match
    const piece = code === undefined ? link(address ?? '') : ({ kind: 'code', text: code } as const)
    if (piece === null) continue
    push(pieces, text.slice(end, match.index))
    pieces.push(piece)
    end = match.index + (piece.kind === 'link' ? piece.text.length : whole.length)
  }
  push(pieces, text.slice(end))
}

function push(pieces: Piece[], text: string): void {
  if (text !== '') pieces.push({ kind: 'text', text })
}

function link(address: string): Piece | null {
  const text = withoutTrailing(address)
  const href = /^www\./i.test(text) ? `https://${text}` : text
  if (!URL.canParse(href)) return null
  const { protocol } = new URL(href)
  return protocol === 'http:' || protocol === 'https:' ? { kind: 'link', text, href } : null
}

/** A closing bracket stays when the address opened it: https://en.wikipedia.org/wiki/Talk_(film) */
function withoutTrailing(address: string): string {
  const cut = address.replace(TRAILING, '')
  const rest = address.slice(cut.length)
  const opened = (cut.match(/\(/g)?.length ?? 0) - (cut.match(/\)/g)?.length ?? 0)
  return opened > 0 && rest.startsWith(')') ? `${cut})` : cut
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
