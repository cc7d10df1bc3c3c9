/** A hit's words as the search returns them: escaped HTML, with what was found in `<mark>`. Taken apart, never built into a page. */

export interface HighlightPiece {
  text: string
  found: boolean
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#x27;': "'",
}

const unescaped = (html: string): string =>
  html.replace(/&(?:amp|lt|gt|quot|#x27);/g, (entity) => ENTITIES[entity] ?? entity)

export function piecesOfHighlight(html: string): HighlightPiece[] {
  return html
    .split(/<mark>([^<]*)<\/mark>/)
    .map((part, index) => ({ text: unescaped(part), found: index % 2 === 1 }))
    .filter(({ text }) => text !== '')
}
