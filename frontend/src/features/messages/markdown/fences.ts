/** Code blocks as one writes them in a hurry, on the lines where Markdown wants them. Pure. */

const FENCE = '```'
const LANGUAGE = /^[\w+#.-]*[ \t]*\n/
/** A fence in a quote or a list is left to it. */
const IN_ANOTHER = /^[ \t]*(?:>|[-*+] |\d{1,9}[.)] |[ \t]{2})/

/** Each pair of fences stands on lines of its own: of "a ```x``` b" and "```js\nx```" too. */
export function withFencesOnLines(body: string): string {
  const text = body.replace(/\r\n?/g, '\n')
  if (!text.includes(FENCE) || text.includes('````')) return text
  const parts: string[] = []
  let end = 0
  for (;;) {
    const start = text.indexOf(FENCE, end)
    const close = start === -1 ? -1 : text.indexOf(FENCE, start + FENCE.length + 1)
    if (close === -1) break
    const line = text.slice(text.lastIndexOf('\n', start) + 1, start)
    const next = close + FENCE.length
    parts.push(text.slice(end, start))
    if (IN_ANOTHER.test(line)) {
      parts.push(text.slice(start, next))
    } else {
      const code = text.slice(start + FENCE.length, close)
      if (line.trim() !== '') parts.push('\n')
      parts.push(FENCE, LANGUAGE.test(code) ? '' : '\n', code, code.endsWith('\n') ? '' : '\n', FENCE)
      if (next < text.length && text[next] !== '\n') parts.push('\n')
    }
    end = next
  }
  return [...parts, text.slice(end)].join('')
}
