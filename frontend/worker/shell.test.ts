import { beforeEach, expect, test, vi } from 'vitest'

/** What is served: path → text. */
let served: Record<string, string> = {}
const registered = { update: vi.fn(() => Promise.resolve()) }
const stored = new Map<string, Map<string, string>>()

const pathOf = (key: Request | string): string =>
  new URL(typeof key === 'string' ? key : key.url, location.origin).pathname

const respond = (text: string | undefined): Response => {
  if (text === undefined) throw new TypeError('not served')
  return new Response(text)
}

const cacheOf = (name: string) => {
  const files = stored.get(name) ?? new Map<string, string>()
  stored.set(name, files)
  return {
    addAll: (paths: string[]) =>
      Promise.all(paths.map(async (path) => files.set(path, await respond(served[path]).text()))),
    put: async (path: string, response: Response) => files.set(path, await response.text()),
  }
}

beforeEach(() => {
  vi.resetModules()
  stored.clear()
  vi.stubGlobal('caches', {
    open: (name: string) => Promise.resolve(cacheOf(name)),
    keys: () => Promise.resolve([...stored.keys()]),
    delete: (name: string) => Promise.resolve(stored.delete(name)),
    match: (key: Request | string, { cacheName }: { cacheName?: string } = {}) => {
      const searched = cacheName === undefined ? [...stored.values()] : [stored.get(cacheName)]
      const found = searched.map((files) => files?.get(pathOf(key))).find((text) => text !== undefined)
      return Promise.resolve(found === undefined ? undefined : new Response(found))
    },
  })
  vi.stubGlobal('fetch', (key: Request | string) => Promise.resolve(respond(served[pathOf(key)])))
  registered.update.mockClear()
  vi.stubGlobal('registration', registered)
})

/** The worker of one build, whose files are served. */
async function build(version: string) {
  vi.resetModules()
  served = { '/': `page ${version} /assets/${version}.js`, [`/assets/${version}.js`]: `script ${version}` }
  vi.stubGlobal('SHELL_FILES', [`/assets/${version}.js`])
  vi.stubGlobal('SHELL_ENTRY', `/assets/${version}.js`)
  vi.stubGlobal('SHELL_VERSION', version)
  return import('./shell')
}

interface Asked {
  mode?: string
  method?: string
}

/** What the worker of a build answers; null: it leaves it to the network. */
async function ask(
  { answer }: Awaited<ReturnType<typeof build>>,
  path: string,
  { mode = 'cors', method = 'GET' }: Asked = {},
): Promise<string | null> {
  const waited: Promise<unknown>[] = []
  let given: Promise<Response> | undefined
  answer({
    request: { url: location.origin + path, method, mode },
    respondWith: (response: Promise<Response>) => (given = response),
    waitUntil: (work: Promise<unknown>) => waited.push(work),
  } as unknown as FetchEvent)
  const text = given === undefined ? null : await (await given).text()
  await Promise.all(waited)
  return text
}

const NAVIGATION = { mode: 'navigate' }

test('a new build serves the next page, and open pages keep the files of their own', async () => {
  const one = await build('one')
  await one.fillShell()
  const two = await build('two')
  await two.fillShell()
  await two.dropOldShells()
  expect(await ask(two, '/c/1', NAVIGATION)).toContain('page two')
  expect(await ask(two, '/assets/two.js')).toBe('script two')
  expect(await ask(two, '/assets/one.js')).toBe('script one')
})

test('of many builds the last three are kept', async () => {
  for (const version of ['one', 'two', 'three', 'four']) {
    const shell = await build(version)
    await shell.fillShell()
    await shell.dropOldShells()
  }
  expect([...stored.keys()]).toEqual(['two', 'three', 'four'].map((name) => `synctalk.shell.${name}`))
})

test('a build that is replaced while it is being cached is not used', async () => {
  const one = await build('one')
  served['/'] = 'page two /assets/two.js'
  await expect(one.fillShell()).rejects.toThrow('Another build')
})

test('a page of this build takes the headers of today; of another, the worker is updated and the cached page stays', async () => {
  const one = await build('one')
  await one.fillShell()
  served['/'] = 'today’s page /assets/one.js'
  await ask(one, '/', NAVIGATION)
  expect(await ask(one, '/', NAVIGATION)).toContain('today’s page')
  expect(registered.update).not.toHaveBeenCalled()
  served['/'] = 'page two /assets/two.js'
  await ask(one, '/', NAVIGATION)
  expect(await ask(one, '/', NAVIGATION)).toContain('today’s page')
  expect(registered.update).toHaveBeenCalled()
})

test('without a network the page is there', async () => {
  const one = await build('one')
  await one.fillShell()
  served = {}
  expect(await ask(one, '/settings', NAVIGATION)).toContain('page one')
})

test.each([
  ['/v1/conversations', {}],
  ['/v1/files/1/content', NAVIGATION],
  ['/docs/', NAVIGATION],
  ['/embed/acme', NAVIGATION],
  ['/dev/push', NAVIGATION],
  ['/manifest.webmanifest', NAVIGATION],
  ['/', {}],
  ['/assets/one.js', { method: 'HEAD' }],
])('%s is left to the network', async (path, asked) => {
  const one = await build('one')
  await one.fillShell()
  expect(await ask(one, path, asked)).toBeNull()
})
