/** The marks of Markdown in a text: whether there may be any, and the words without them. Linear in the text's length. */

const MARKS =
  /`|~~|\|\||\]\(|\*[^\s*]|(?<![\w\\])_[^\s_/]|\\[*`~|>[\]]|\|[ :]*-|-[ :]*\||^[^\S\n]*(?:>|[-*] |\d{1,9}[.)] )/m

/** Whether anything in it may be Markdown; a text for which this is false reads as it is written. */
export const hasMarks = (text: string): boolean => MARKS.test(text)

// Each part goes on to what it may not contain, so that none is read twice.
const PARTS =
  /(`{1,3})(?:(?<=```)[\w+#.-]*\n)?([^`]+)\1|(\|\|)[^|\n]+\|\||!?\[([^[\]\n]*)\]\([^()\s]*\)|^[^\S\n]*(?:(?:>|[-*] )[^\S\n]*)+|^[ |:-]{3,}$/gm
const PAIRS =
  /(?<![\w\\*])(\*{1,3})([^\s*][^*\n]*)\1|(~~)([^\s~][^~\n]*)~~|(?<![\w\\_])(_{1,3})([^\s_][^_\n]*)\5(?!\w)/g
/** Of pairs in one another. */
const MAX_DEPTH = 3

/** What takes the place of what is to be revealed first. */
const HIDDEN = '▒▒▒'

/** The words of a text as one reads them, for one line of it. */
export function withoutMarks(text: string): string {
  if (!hasMarks(text)) return text
  const codes: string[] = []
  let words = text.replace(
    PARTS,
    (part: string, _ticks?: string, code?: string, spoiler?: string, label?: string) => {
      if (code !== undefined) return `\u0000${String(codes.push(code) - 1)}\u0000`
      if (spoiler !== undefined) return HIDDEN
      if (label !== undefined) return label
      return part.includes('>') || !part.includes('|') ? '' : '\n'
    },
  )
  for (let depth = 0; depth < MAX_DEPTH; depth += 1)
    words = words.replace(PAIRS, (...found: (string | undefined)[]) => found[2] ?? found[4] ?? found[6] ?? '')
  return words
    .replace(/\\([*_`~|>[\]])/g, '$1')
    .replace(/\u0000(\d+)\u0000/g, (_, n) => codes[Number(n)] ?? '')
}
