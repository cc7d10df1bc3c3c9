/** Builds the service worker beside the client, with the names of all files that the client consists of. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build, type Plugin, type Rolldown } from 'vite'
import { fromSources } from './sources'

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))
const hashOf = (...parts: (string | Uint8Array)[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex').slice(0, 12)
}

/** What is served from `public/` and belongs to the shell. */
const PUBLIC = ['icon.svg', 'icon-unread.svg', 'icon-192.png', 'badge.png']

/** The path of `first.js`: with a hash, so that no page gets that of another build. */
export const firstScript = (): string => `/first.js?v=${hashOf(readFileSync(at('public/first.js')))}`

export function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    generateBundle: {
      order: 'post',
      async handler(_options, bundle) {
        const files = Object.values(bundle)
        const page = bundle['index.html']
        if (page?.type !== 'asset') return // a build of something else
        const entry = files.find(
          (file) => file.type === 'chunk' && file.isEntry && file.facadeModuleId?.endsWith('/index.html'),
        )
        if (entry === undefined) throw new Error('The page has no script to make a shell of.')
        const named = files.map(({ fileName }) => fileName).filter((name) => name.startsWith('assets/'))
        const shell = [
          ...named.sort().map((name) => `/${name}`),
          firstScript(),
          ...PUBLIC.map((name) => `/${name}`),
        ]
        const version = hashOf(
          ...shell,
          page.source,
          ...PUBLIC.map((name) => readFileSync(at(`public/${name}`))),
        )
        const source = await bundled({
          SHELL_FILES: JSON.stringify(shell),
          SHELL_ENTRY: JSON.stringify(`/${entry.fileName}`),
          SHELL_VERSION: JSON.stringify(version),
        })
        this.emitFile({ type: 'asset', fileName: 'sw.js', source })
      },
    },
  }
}

/** One file: a worker that is no module runs in every browser. */
async function bundled(define: Record<string, string>): Promise<string> {
  const built = (await build({
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    define,
    resolve: { alias: { '@': at('src') }, ...fromSources },
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      rolldownOptions: { input: at('worker/worker.ts'), output: { format: 'iife', entryFileNames: 'sw.js' } },
    },
  })) as Rolldown.RolldownOutput
  return built.output[0].code
}
