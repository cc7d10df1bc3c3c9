import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Rest } from '../http.js'
import { FileContents } from './fileContents.js'

const abort = new AbortController()
let opened: string[]
let contents: FileContents
let response: () => Partial<Response>

beforeEach(() => {
  opened = []
  let made = 0
  vi.stubGlobal('URL', {
    createObjectURL: () => `blob:${String((made += 1))}`,
    revokeObjectURL: vi.fn(),
  })
  response = () => ({ redirected: false, blob: () => Promise.resolve(new Blob(['bytes'])) })
  const rest = {
    open: (url: string) => {
      opened.push(url)
      return Promise.resolve(response())
    },
  } as unknown as Rest
  contents = new FileContents(rest, abort.signal)
})

afterEach(() => vi.unstubAllGlobals())

test('the same bytes are fetched once, however many views want them', async () => {
  const both = await Promise.all([contents.address('a', '360'), contents.address('a', '360')])
  expect(both).toEqual(['blob:1', 'blob:1'])
  expect(await contents.address('a', '360')).toBe('blob:1')
  expect(contents.known('a', '360')).toBe('blob:1')
  expect(opened).toEqual(['/v1/files/a/thumbnail?size=360'])
})

test('a bucket’s address is used as it is, and asked for anew before it ends', async () => {
  vi.useFakeTimers()
  response = () => ({ redirected: true, url: 'https://bucket/signed', body: null })
  expect(await contents.address('a', 'content')).toBe('https://bucket/signed')
  expect(await contents.address('a', 'content')).toBe('https://bucket/signed')
  expect(opened).toHaveLength(1)
  vi.advanceTimersByTime(5 * 60_000)
  expect(contents.known('a', 'content')).toBeNull()
  await contents.address('a', 'content')
  expect(opened).toHaveLength(2)
  vi.useRealTimers()
})

test('one’s own upload is shown without a request; what was used longest ago goes first', async () => {
  contents.seed('own', new Blob(['mine']))
  expect(contents.known('own', '1280')).toBe('blob:1')
  for (let n = 0; n < 400; n += 1) {
    await contents.address(`other-${String(n)}`, '64')
    contents.known('own', '64')
  }
  expect(contents.known('own', '64')).toBe('blob:1')
  expect(contents.known('other-0', '64')).toBeNull()
  expect(contents.known('other-399', '64')).not.toBeNull()
})

test('what fails is asked for again', async () => {
  response = () => {
    throw new Error('gone')
  }
  await expect(contents.address('a', '64')).rejects.toThrow('gone')
  response = () => ({ redirected: false, blob: () => Promise.resolve(new Blob()) })
  expect(await contents.address('a', '64')).toMatch('blob:')
})
