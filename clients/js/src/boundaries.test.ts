/** The client knows no view: it needs few packages, and keeps all its state in objects that a session owns. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const SRC = import.meta.dirname
const PACKAGES = ['axios', 'idb', 'socket.io-client', 'standardwebhooks', 'zustand/vanilla']
const TEST_PACKAGES = ['vitest', 'fast-check', 'fake-indexeddb/auto']
const FOR_TESTS = /\.test\.ts$|^live\/fakeServer\.ts$/
const IMPORT = /(?:from|import)\s*\(?\s*'([^']+)'/g
const STATE =
  /^(?:export )?(?:let |const \w+(?:: (?!Readonly)[^=]+)? = (?:new (?:Map|Set)|create(?:Store)?)\b)/m

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const text = (file: string): string => readFileSync(join(SRC, file), 'utf8')

test.each(files.map((file) => [file]))('%s needs no package of a view', (file) => {
  const allowed = FOR_TESTS.test(file) ? [...PACKAGES, ...TEST_PACKAGES] : PACKAGES
  const packages = [...text(file).matchAll(IMPORT)]
    .map(([, name = '']) => name)
    .filter((name) => !/^(?:\.|node:)/.test(name))
  expect(packages.filter((name) => !allowed.includes(name))).toEqual([])
})

const own = files.filter((file) => !file.endsWith('.test.ts'))

test.each(own.map((file) => [file]))('%s keeps no state of its own: an object holds it', (file) => {
  expect(STATE.exec(text(file))?.[0] ?? null).toBeNull()
})
