/** Imports point one way: app → features → shared. No feature knows another; only `app` puts them together. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const SRC = import.meta.dirname
const SHARED = ['components', 'contracts', 'lib']
const IMPORT = /(?:from|import)\s*\(?\s*'([^']+)'/g

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file))
  .map((file) => join(SRC, file))

function targets(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].flatMap(([, name = '']) => {
    if (name.startsWith('@/')) return [name.slice(2)]
    return name.startsWith('.') ? [relative(SRC, resolve(dirname(file), name))] : []
  })
}

/** The room of a file: `app`, `features/messages`, `lib`. */
function roomOf(path: string): string {
  const [top = '', second = ''] = path.split('/')
  return top === 'features' ? `features/${second}` : top
}

function allowed(from: string, to: string): boolean {
  if (from === to || from === 'app' || from === 'main.tsx') return true
  if (from.startsWith('features/')) return SHARED.includes(to)
  if (from === 'components') return to !== 'app' && !to.startsWith('features/')
  // The library shows nothing.
  return from === 'lib' && to === 'contracts'
}

test.each(files.filter((file) => !file.endsWith('boundaries.test.ts')).map((file) => [relative(SRC, file)]))(
  '%s imports only what it may',
  (file) => {
    const wrong = targets(join(SRC, file)).filter((target) => !allowed(roomOf(file), roomOf(target)))
    expect(wrong).toEqual([])
  },
)
