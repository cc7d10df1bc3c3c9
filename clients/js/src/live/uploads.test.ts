import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { storedFile } from '../chat/samples.js'
import { CallError } from '../errors.js'
import type { Rest } from '../http.js'
import { fakeSocket, goLive, newCore } from './fakeServer.js'
import { FileContents } from './fileContents.js'
import { attachmentsIn, MAX_FILES, nameOf, Uploads } from './uploads.js'

vi.mock('socket.io-client', () => ({ io: () => fakeSocket }))

let core: ReturnType<typeof newCore>
let uploads: Uploads
/** The uploads that are under way, each waiting for its end. */
let open: { resolve: () => void; reject: (error: unknown) => void }[]

beforeEach(() => {
  core = newCore()
  open = []
  let announced = 0
  const rest = {
    call: ({ url = '' }: { url?: string }) => {
      if (url !== '/v1/files')
        return Promise.resolve(storedFile({ id: url.split('/')[3] ?? '', state: 'ready' }))
      announced += 1
      const file = storedFile({ id: `file-${String(announced)}`, state: 'pending' })
      return Promise.resolve({ file, upload: { method: 'PUT', url: '/there', headers: {} } })
    },
    upload: () => new Promise<void>((resolve, reject) => open.push({ resolve, reject })),
  } as unknown as Rest
  uploads = new Uploads(rest, core.connection, new FileContents(rest, core.signal), core.signal)
})

afterEach(() => core.abort.abort())

const states = (): string[] =>
  attachmentsIn(uploads.attachments.getState(), 'room').map(({ upload }) => upload.state)
const files = (count: number): File[] =>
  Array.from({ length: count }, (_, n) => new File(['x'], `${String(n)}.txt`))

test('three go up at a time, the next as soon as one is done, and all of them are taken in their order', async () => {
  uploads.attach('room', files(4))
  await vi.waitFor(() => expect(open).toHaveLength(3))
  expect(states()).toEqual(['uploading', 'uploading', 'uploading', 'waiting'])
  expect(uploads.take('room')).toBeNull()
  open[0]?.resolve()
  await vi.waitFor(() => expect(open).toHaveLength(4))
  for (const { resolve } of open) resolve()
  await vi.waitFor(() => expect(states()).toEqual(['ready', 'ready', 'ready', 'ready']))
  expect(uploads.take('room')?.map(({ id }) => id)).toEqual(['file-1', 'file-2', 'file-3', 'file-4'])
  expect(states()).toEqual([])
  expect(uploads.take('room')).toEqual([])
})

test('more than a message may have are left out, and an empty one is refused at once', () => {
  expect(uploads.attach('room', files(MAX_FILES + 2))).toBe(2)
  expect(uploads.attach('other', [new File([], 'empty.txt')])).toBe(0)
  const [empty] = attachmentsIn(uploads.attachments.getState(), 'other')
  expect(empty?.upload).toEqual({ state: 'failed', reason: 'empty', passing: false })
})

test('failed for want of a connection__goes on with the next one; refused by the server__waits for the user', async () => {
  uploads.attach('room', files(2))
  await vi.waitFor(() => expect(open).toHaveLength(2))
  open[0]?.reject(new CallError('network', ''))
  open[1]?.reject(new CallError('too_large', ''))
  await vi.waitFor(() => expect(states()).toEqual(['failed', 'failed']))
  goLive(core.connection)
  await vi.waitFor(() => expect(open).toHaveLength(3))
  expect(states()).toEqual(['uploading', 'failed'])
})

test('refused as too fast__begins again by itself after the pause that the server asks for', async () => {
  uploads.attach('room', files(1))
  await vi.waitFor(() => expect(open).toHaveLength(1))
  open[0]?.reject(new CallError('rate_limited', '', undefined, 10))
  await vi.waitFor(() => expect(open).toHaveLength(2))
  expect(states()).toEqual(['uploading'])
  open[1]?.resolve()
  await vi.waitFor(() => expect(states()).toEqual(['ready']))
})

test('taken off while it goes up__is aborted and gone', async () => {
  uploads.attach('room', files(1))
  await vi.waitFor(() => expect(open).toHaveLength(1))
  const [attachment] = attachmentsIn(uploads.attachments.getState(), 'room')
  uploads.remove('room', attachment?.key ?? '')
  open[0]?.resolve()
  await Promise.resolve()
  expect(states()).toEqual([])
})

test.each([
  ['plans.pdf', 'plans.pdf'],
  ['a/b\\c.txt', 'a b c.txt'],
  ['..', 'file'],
  [' \u202e ', 'file'],
  [`${'x'.repeat(300)}.txt`, `${'x'.repeat(251)}.txt`],
])('a file named %j is sent as %j', (given, sent) => {
  expect(nameOf(new File(['x'], given))).toBe(sent)
})
