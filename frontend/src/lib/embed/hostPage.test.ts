import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { HostPage } from './hostPage'
import type { ToFrame } from './messages'

const ALLOWED = 'https://shop.example'
const parent = { postMessage: vi.fn() }
let host: HostPage

const start: ToFrame = {
  synctalk: 'start',
  conversation: null,
  invite: null,
  theme: null,
  colors: {},
  open: true,
}

function say(data: unknown, origin = ALLOWED, source: unknown = parent): Promise<void> {
  window.dispatchEvent(new MessageEvent('message', { data, origin, source: source as Window }))
  // The origins are read before the first message is looked at.
  return vi
    .waitFor(() => expect(fetch).toHaveBeenCalled())
    .then(() => new Promise((done) => setTimeout(done)))
}

beforeEach(() => {
  vi.stubGlobal(
    'fetch',
    vi.fn(() => Promise.resolve(new Response(`${ALLOWED} https://b.example`))),
  )
  vi.stubGlobal('parent', parent)
  parent.postMessage.mockClear()
  host = new HostPage()
  host.listen()
})

afterEach(() => vi.unstubAllGlobals())

test('the page around it, of an allowed origin, is listened to and answered', async () => {
  await say(start)
  expect(host.state.getState()).toEqual({ start, open: true })
  const given = host.ask()
  expect(parent.postMessage).toHaveBeenCalledExactlyOnceWith({ synctalk: 'token-wanted' }, ALLOWED)
  await say({ synctalk: 'token', given: 'nobody' })
  expect(await given).toBe('nobody')
})

test.each([
  ['another origin', start, 'https://evil.example', parent],
  ['no origin', start, 'null', parent],
  ['an origin that begins alike', start, `${ALLOWED}.evil.example`, parent],
  ['another window of an allowed origin', start, ALLOWED, { postMessage: vi.fn() }],
  ['its own window', start, window.location.origin, window],
  ['a message of something else', { type: 'start' }, ALLOWED, parent],
])('%s is ignored', async (_, data, origin, source) => {
  await say(data, origin, source)
  host.close()
  expect(host.state.getState().start).toBeNull()
  expect(parent.postMessage).not.toHaveBeenCalled()
})

test('who has begun is the only one from then on', async () => {
  await say(start)
  await say({ synctalk: 'shown', open: false }, 'https://b.example')
  expect(host.state.getState().open).toBe(true)
})
