/** Fails when a page's first load brings more JavaScript than allowed: gzip, all that its route needs at once. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const BUDGET_KB = 200
/** `embed.js` is in pages of others, where it comes before anybody has asked for chat. */
const EMBED_BUDGET_KB = 5
const DIST = join(dirname(fileURLToPath(import.meta.url)), '..', process.argv[2] ?? 'dist')
const ROUTES = {
  'sign in': ['index.html', 'src/features/session/SessionPage.tsx'],
  chat: ['index.html', 'src/app/SignedIn.tsx'],
}

const manifest = JSON.parse(readFileSync(join(DIST, '.vite/manifest.json'), 'utf8'))

function filesOf(entry, seen = new Set()) {
  const chunk = manifest[entry]
  if (chunk === undefined) throw new Error(`${entry} is not in the manifest`)
  if (seen.has(chunk.file)) return seen
  seen.add(chunk.file)
  for (const imported of chunk.imports ?? []) filesOf(imported, seen)
  return seen
}

const LANGUAGES = ['en', 'de', 'ar']
/** A page has the texts of one language; who is not signed in, those of the sign-in page too. */
const textsOf = (language, route) =>
  (route === 'chat' ? ['texts'] : ['texts', 'lazyTexts']).map((name) => `src/lib/text/${language}/${name}.ts`)

let over = false
const cases = Object.entries(ROUTES).flatMap(([route, entries]) =>
  LANGUAGES.map((language) => [`${route} (${language})`, [...entries, ...textsOf(language, route)]]),
)
for (const [route, entries] of cases) {
  const files = new Set(entries.flatMap((entry) => [...filesOf(entry)]))
  const bytes = [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(DIST, file))).length, 0)
  const kb = bytes / 1000
  over ||= kb > BUDGET_KB
  console.log(`first load, ${route}: ${kb.toFixed(1)} kB gzip of ${BUDGET_KB} kB, ${files.size} files`)
}
const embed = gzipSync(readFileSync(join(DIST, 'embed.js'))).length / 1000
over ||= embed > EMBED_BUDGET_KB
console.log(`embed.js: ${embed.toFixed(1)} kB gzip of ${EMBED_BUDGET_KB} kB`)
if (over) process.exit(1)
