/** What the build does for the first load: the shell is painted before the styles are there, and the next chunk is named. */
import type { Plugin, Rolldown } from 'vite'
import { LANGUAGES } from '../src/lib/text/languages'
import { firstScript } from './worker'

const STYLES = /\s*<link rel="stylesheet"[^>]*>/g
const NEXT: Record<string, string> = {
  'data-in': 'app/SignedIn.tsx',
  'data-out': 'features/session/SessionPage.tsx',
}
for (const language of LANGUAGES) {
  NEXT[`data-${language}`] = `text/${language}/texts.ts`
  NEXT[`data-${language}-out`] = `text/${language}/lazyTexts.ts`
}

export function firstLoad(): Plugin {
  return {
    name: 'first-load',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle = {} }) {
        const styles = html.match(STYLES)?.join('') ?? ''
        const named = Object.entries(NEXT).map(([name, entry]) => `${name}="${filesOf(bundle, entry)}"`)
        return html
          .replace(STYLES, '')
          .replace('<noscript>', `${styles.trim()}\n    <noscript>`)
          .replace('src="/first.js"', `src="${firstScript()}" ${named.join(' ')}`)
      },
    },
  }
}

/** A chunk, and what it imports at once. */
function filesOf(bundle: Rolldown.OutputBundle, entry: string): string {
  const isChunk = (file: Rolldown.OutputAsset | Rolldown.OutputChunk): file is Rolldown.OutputChunk =>
    file.type === 'chunk'
  const chunk = Object.values(bundle)
    .filter(isChunk)
    .find(({ facadeModuleId }) => facadeModuleId?.endsWith(entry))
  if (chunk === undefined) throw new Error(`${entry} is no chunk of its own`)
  return [chunk.fileName, ...chunk.imports].map((file) => `/${file}`).join(' ')
}
