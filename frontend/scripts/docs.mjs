/**
 * Writes the pages that the edge serves below `/docs`: the REST interface in Swagger UI, the socket interface in
 * AsyncAPI's viewer, and the guides. Everything comes from our own origin; no script stands in a page.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import MarkdownIt from 'markdown-it'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const PAPERS = join(ROOT, '..', 'docs')
const TO = join(ROOT, process.argv[2] ?? 'dist', 'docs')
/** The workspaces share their modules, except where two want different versions of one. */
const moduleFolder = (name) =>
  [ROOT, join(ROOT, '..')].map((folder) => join(folder, 'node_modules', name)).find(existsSync)
const SWAGGER = moduleFolder('swagger-ui-dist')
const ASYNCAPI = moduleFolder('@asyncapi/react-component')

const COPIES = [
  [join(SWAGGER, 'swagger-ui-bundle.js'), 'swagger-ui.js'],
  [join(SWAGGER, 'swagger-ui.css'), 'swagger-ui.css'],
  [join(ASYNCAPI, 'browser/standalone/index.js'), 'asyncapi.js'],
  [join(ASYNCAPI, 'styles/default.min.css'), 'asyncapi.css'],
  [join(PAPERS, 'openapi.json'), 'openapi.json'],
  [join(PAPERS, 'asyncapi.yaml'), 'asyncapi.yaml'],
  [join(ROOT, 'scripts/docs.css'), 'docs.css'],
  [join(ROOT, 'scripts/docs.api.js'), 'api.js'],
  [join(ROOT, 'scripts/docs.events.js'), 'events.js'],
]

const markdown = new MarkdownIt({ html: false, linkify: true })
const escaped = (text) => markdown.utils.escapeHtml(text)

const page = (title, body, head = '') => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)} · SyncTalk</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/docs/docs.css">
${head}
</head>
<body>
<header><a href="/docs/">SyncTalk</a><nav><a href="/docs/">Guides</a><a href="/docs/api">REST</a><a href="/docs/events">Sockets</a></nav></header>
${body}
</body>
</html>
`

/** Comments that name a block for its test are not for readers, and the files of the interface have pages here. */
const readable = (text) =>
  text
    .replace(/<!-- test: \w+ -->\n/g, '')
    .replaceAll('(../openapi.json)', '(/docs/api)')
    .replaceAll('(../asyncapi.yaml)', '(/docs/events)')

function guides() {
  const folder = join(PAPERS, 'guides')
  if (!existsSync(folder)) throw new Error(`${folder} is not there`)
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => {
      const text = readable(readFileSync(join(folder, name), 'utf8'))
      const [, title, summary] = /^# (.+)\n\n(.+(?:\n.+)*)/.exec(text) ?? []
      if (title === undefined) throw new Error(`${name} does not begin with a title and a sentence`)
      return { path: name.replace(/^\d+-/, '').replace(/\.md$/, ''), title, summary, text }
    })
}

mkdirSync(TO, { recursive: true })
for (const [from, name] of COPIES) copyFileSync(from, join(TO, name))
const all = guides()
for (const { path, title, text } of all) {
  writeFileSync(join(TO, `${path}.html`), page(title, `<main>${markdown.render(text)}</main>`))
}
const list = all.map(
  ({ path, title, summary }) =>
    `<li><a href="/docs/${path}">${escaped(title)}</a><p>${markdown.renderInline(summary)}</p></li>`,
)
writeFileSync(
  join(TO, 'index.html'),
  page(
    'Documentation',
    `<main><h1>Documentation</h1><ul class="guides">${list.join('')}</ul>
<h2>Reference</h2><ul class="guides"><li><a href="/docs/api">REST interface</a><p>Every call, with its parameters and errors.
As a file: <a href="/docs/openapi.json">openapi.json</a>.</p></li><li><a href="/docs/events">Socket interface</a><p>Every event
of the live connection, with its acks. As a file: <a href="/docs/asyncapi.yaml">asyncapi.yaml</a>.</p></li></ul></main>`,
  ),
)
writeFileSync(
  join(TO, 'api.html'),
  page(
    'REST interface',
    '<div id="viewer" class="wide"></div>',
    '<link rel="stylesheet" href="/docs/swagger-ui.css"><script src="/docs/swagger-ui.js" defer></script><script src="/docs/api.js" defer></script>',
  ),
)
writeFileSync(
  join(TO, 'events.html'),
  page(
    'Socket interface',
    '<div id="viewer" class="wide"></div>',
    '<link rel="stylesheet" href="/docs/asyncapi.css"><script src="/docs/asyncapi.js" defer></script><script src="/docs/events.js" defer></script>',
  ),
)
