/** Long texts and texts with many blank lines, kept to a size that one can scroll past. Pure. */
import type { Piece } from '@/lib/text/rich'

/** A code block keeps its lines. */
const FENCED = /(```[\s\S]+?```)/
const GAP = /\n(?:[^\S\n]*\n){3,}/g
const BLANK_BEGINNING = /^(?:[^\S\n]*\n)+/

/** Without blank lines at both ends, and with two of them at most in a row. */
export function withoutGaps(body: string): string {
  if (!body.includes('\n')) return body.trimEnd()
  const parts = body.replace(BLANK_BEGINNING, '').trimEnd().split(FENCED)
  return parts.map((part, n) => (n % 2 === 1 ? part : part.replace(GAP, '\n\n\n'))).join('')
}

/** Stacked so high, further marks are beyond the edge of their message. */
const MAX_MARKS = 100
const MARKS = /\p{M}+/gu

/** Cut what is piled up on one character: shaping takes time by its square, 0.3 s for 8,000 marks. */
export const withoutPiles = (body: string): string =>
  body.replace(MARKS, (marks) => (marks.length > MAX_MARKS ? [...marks].slice(0, MAX_MARKS).join('') : marks))

const CHARACTERS_A_LINE = 72
/** A text of more lines is shown folded, with so many of them. */
const LONG_LINES = 24
export const FOLDED_LINES = 16

/** A guess of how many lines it takes. */
export function linesIn(body: string): number {
  let lines = 0
  for (const line of body.split('\n')) lines += Math.max(1, Math.ceil(line.length / CHARACTERS_A_LINE))
  return lines
}

export const isLong = (body: string): boolean => linesIn(body) > LONG_LINES

/** More characters than a line can show: the narrowest are 3.3 px wide, a line 750 px. */
const MOST_CHARACTERS_A_LINE = 300
/** Lines of code are lower than those of text. */
const MOST_LINES = 2 * FOLDED_LINES
/** Marks, format characters and spaces may take no width. */
const WIDE = /[^\p{M}\p{Cf}\s]/gu

/** What a folded text has space for: the rest is below its edge, costs layout and is not seen. */
export class Fold {
  private lines = MOST_LINES
  private characters = FOLDED_LINES * MOST_CHARACTERS_A_LINE
  /** Nothing more is seen. */
  spent = false

  /** As much of a text as is seen; a line of a code block is as long as it is: it scrolls. */
  take(text: string, isBlock: boolean): string {
    if (this.spent) return ''
    const end = Math.min(
      endOfNth(/\n/g, text, this.lines),
      isBlock ? Infinity : endOfNth(WIDE, text, this.characters),
    )
    this.spent = end <= text.length
    if (this.spent) return text.slice(0, end)
    this.lines -= countOf(/\n/g, text)
    if (!isBlock) this.characters -= countOf(WIDE, text)
    return text
  }
}

/** Cut what is below the edge of a folded text. */
export function cutToFold(pieces: readonly Piece[]): Piece[] {
  const fold = new Fold()
  const shown: Piece[] = []
  for (const piece of pieces) {
    shown.push({ ...piece, text: fold.take(piece.text, piece.kind === 'block') })
    if (fold.spent) break
  }
  return shown
}

/** Where the nth match ends; infinity when there are fewer. */
function endOfNth(pattern: RegExp, text: string, n: number): number {
  let left = n
  for (const match of text.matchAll(pattern)) {
    left -= 1
    if (left <= 0) return match.index + match[0].length
  }
  return Infinity
}

const countOf = (pattern: RegExp, text: string): number => [...text.matchAll(pattern)].length
