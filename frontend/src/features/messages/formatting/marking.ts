/** Puts the marks of Markdown around what is selected in a field, or takes them away again. Pure. */

export type Mark = 'bold' | 'italic' | 'strike' | 'code' | 'list' | 'quote' | 'link' | 'spoiler'

/** What takes the place of the field's text from `from` to `to`, and what is selected then. */
export interface Change {
  from: number
  to: number
  text: string
  start: number
  end: number
}

const AROUND: Partial<Record<Mark, string>> = {
  bold: '**',
  italic: '_',
  strike: '~~',
  code: '`',
  spoiler: '||',
}
const BEFORE: Partial<Record<Mark, string>> = { list: '- ', quote: '> ' }
const ADDRESS = /^(?:https?:\/\/|mailto:)\S+$/i

export function marked(mark: Mark, text: string, start: number, end: number): Change {
  const sign = BEFORE[mark]
  if (sign !== undefined) return markedLines(sign, text, start, end)
  return mark === 'link' ? markedLink(text, start, end) : markedWords(mark, text, start, end)
}

function markedWords(mark: Mark, text: string, start: number, end: number): Change {
  // Spaces at the ends of a selection stay outside, where marks mean something.
  const selected = text.slice(start, end)
  const from = start + (selected.trim() === '' ? 0 : selected.length - selected.trimStart().length)
  const to = selected.trim() === '' ? end : start + selected.trimEnd().length
  const words = text.slice(from, to)
  const isBlock = mark === 'code' && words.includes('\n')
  const opening = isBlock ? '```\n' : (AROUND[mark] ?? '')
  const closing = isBlock ? '\n```' : opening
  const around = text.slice(from - opening.length, from) === opening && text.startsWith(closing, to)
  if (around && from >= opening.length) {
    const at = from - opening.length
    return { from: at, to: to + closing.length, text: words, start: at, end: at + words.length }
  }
  const least = opening.length + closing.length
  if (words.length > least && words.startsWith(opening) && words.endsWith(closing)) {
    const inner = words.slice(opening.length, -closing.length)
    return { from, to, text: inner, start: from, end: from + inner.length }
  }
  const at = from + opening.length
  return { from, to, text: `${opening}${words}${closing}`, start: at, end: at + words.length }
}

/** Whole lines, each with its sign; without it where all have it. */
function markedLines(sign: string, text: string, start: number, end: number): Change {
  const from = text.lastIndexOf('\n', start - 1) + 1
  const next = text.indexOf('\n', end)
  const to = next === -1 ? text.length : next
  const lines = text.slice(from, to).split('\n')
  const all = lines.every((line) => line.startsWith(sign))
  const changed = lines.map((line) => (all ? line.slice(sign.length) : `${sign}${line}`)).join('\n')
  const last = from + changed.length
  return { from, to, text: changed, start: start === end ? last : from, end: last }
}

/** What is selected is the address or the words; what is missing is selected then. */
function markedLink(text: string, start: number, end: number): Change {
  const words = text.slice(start, end)
  if (ADDRESS.test(words))
    return { from: start, to: end, text: `[](${words})`, start: start + 1, end: start + 1 }
  const address = start + words.length + 3
  return {
    from: start,
    to: end,
    text: `[${words}](https://)`,
    start: words === '' ? start + 1 : address,
    end: words === '' ? start + 1 : address + 8,
  }
}

/** Change the field as typing does, so that it can be undone and the field's own listeners are called. */
export function mark(field: HTMLTextAreaElement, kind: Mark): void {
  const change = marked(kind, field.value, field.selectionStart, field.selectionEnd)
  field.focus()
  field.setSelectionRange(change.from, change.to)
  // Nothing else writes into a field's history of changes.
  const written = document.execCommand(change.text === '' ? 'delete' : 'insertText', false, change.text)
  if (!written) {
    field.setRangeText(change.text, change.from, change.to)
    field.dispatchEvent(new Event('input', { bubbles: true }))
  }
  field.setSelectionRange(change.start, change.end)
}
