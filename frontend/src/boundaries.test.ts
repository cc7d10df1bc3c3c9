/** Imports point one way: app → features → components → lib-react → lib. No feature knows another. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const SRC = import.meta.dirname
const SHARED = ['components', 'lib', 'lib-react']
/** All that `lib` needs of others: nothing of the views. */
const LIB_PACKAGES = ['zustand/vanilla']
const TEST_PACKAGES = ['axios', 'vitest', 'fast-check']
const IMPORT = /(?:from|import)\s*\(?\s*'([^']+)'/g

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file))
  .map((file) => join(SRC, file))

const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(([, name = '']) => name)

function targets(file: string): string[] {
  return importsOf(file).flatMap((name) => {
    if (name.startsWith('@/')) return [name.slice(2)]
    return name.startsWith('.') ? [relative(SRC, resolve(dirname(file), name))] : []
  })
}

/** Return the layer of a file: `app`, `features/messages`, `lib`. */
function layerOf(path: string): string {
  const [top = '', second = ''] = path.split('/')
  return top === 'features' ? `features/${second}` : top
}

function allowed(from: string, to: string): boolean {
  if (from === to || from === 'app' || from === 'main.tsx') return true
  if (from === 'english.setup.ts') return to === 'lib'
  if (from.startsWith('features/')) return SHARED.includes(to)
  if (from === 'components') return to !== 'app' && !to.startsWith('features/')
  if (from === 'dropin') return to === 'lib'
  if (from === 'lib-react') return to === 'lib'
  return false
}

const isTest = (file: string): boolean => /\.test\.tsx?$/.test(file)
const isForTests = (file: string): boolean => file.startsWith('testing/')

test.each(files.filter((file) => !file.endsWith('boundaries.test.ts')).map((file) => [relative(SRC, file)]))(
  '%s imports only what it may',
  (file) => {
    const wrong = targets(join(SRC, file)).filter(
      (target) => !(isTest(file) && isForTests(target)) && !allowed(layerOf(file), layerOf(target)),
    )
    expect(wrong).toEqual([])
  },
)

const lib = files
  .filter((file) => layerOf(relative(SRC, file)) === 'lib')
  .map((file) => [relative(SRC, file)])

test.each(lib)('%s uses no package of the views', (file) => {
  const allowedPackages = file.endsWith('.test.ts') ? [...LIB_PACKAGES, ...TEST_PACKAGES] : LIB_PACKAGES
  const packages = importsOf(join(SRC, file)).filter(
    (name) => !/^(?:@\/|@synctalk\/client\/|\.|node:)/.test(name),
  )
  const wrong = packages.filter((name) => !allowedPackages.includes(name))
  expect(wrong).toEqual([])
})

const STATE =
  /^(?:export )?(?:let |const \w+(?:: (?!Readonly)[^=]+)? = (?:new (?:Map|Set)|create(?:Store)?)\b)/m
const belowFeatures = files
  .map((file) => relative(SRC, file))
  .filter((file) => ['components', 'lib', 'lib-react'].includes(layerOf(file)) && !/\.test\.tsx?$/.test(file))

test.each(belowFeatures.map((file) => [file]))('%s keeps no state of its own: an object holds it', (file) => {
  expect(STATE.exec(readFileSync(join(SRC, file), 'utf8'))?.[0] ?? null).toBeNull()
})
