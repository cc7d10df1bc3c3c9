// @vitest-environment node
import { appendFile, mkdtemp, readFile, rm, stat, truncate, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { OutboxStore, OutgoingMessage } from '../client/outbox.js'
import { fileOutbox } from './fileOutbox.js'

let folder: string
let path: string

const written = (id: string, body = id): OutgoingMessage => ({
  client_message_id: id,
  conversation_id: 'room',
  sender_id: 'me',
  body,
})

async function opened(): Promise<OutboxStore> {
  const outbox = fileOutbox(path)
  await outbox.load()
  return outbox
}

const found = async (): Promise<string[]> =>
  (await fileOutbox(path).load()).map((message) => message.client_message_id)

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'outbox-'))
  path = join(folder, 'outbox')
})

afterEach(() => rm(folder, { recursive: true }))

test('after a restart: what was not removed is there, whole and in order', async () => {
  const outbox = await opened()
  const rich = { ...written('three', 'two\nlines'), metadata: { a: [1] }, file_ids: ['f'], reply_to: 'm' }
  for (const message of [written('one'), written('two'), rich]) await outbox.put(message)
  await outbox.remove('one')
  expect(await fileOutbox(path).load()).toEqual([written('two'), rich])
})

test('what is put at once keeps the order of the calls', async () => {
  const outbox = await opened()
  const ids = Array.from({ length: 50 }, (_, at) => `m${at}`)
  await Promise.all(ids.map((id) => outbox.put(written(id))))
  expect(await found()).toEqual(ids)
})

test('only its user can read it', async () => {
  await writeFile(path, '', { mode: 0o644 })
  await (await opened()).put(written('one'))
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

test('a torn last line is dropped, the others are not, and it goes on', async () => {
  const outbox = await opened()
  for (const id of ['one', 'two', 'torn']) await outbox.put(written(id, 'ä'.repeat(9)))
  await truncate(path, (await stat(path)).size - 6)
  const next = fileOutbox(path)
  expect((await next.load()).map(({ client_message_id }) => client_message_id)).toEqual(['one', 'two'])
  await next.put(written('three'))
  expect(await found()).toEqual(['one', 'two', 'three'])
})

test('after a torn line within a run the next one is whole', async () => {
  const outbox = await opened()
  await outbox.put(written('one'))
  await appendFile(path, '\n{"put":{"client_mess')
  await outbox.put(written('two'))
  expect(await found()).toEqual(['one', 'two'])
})

test('opened, it has nothing of what was removed', async () => {
  const outbox = await opened()
  for (const id of ['one', 'two']) await outbox.put(written(id, `body of ${id}`))
  await outbox.remove('one')
  expect(await found()).toEqual(['two'])
  const text = await readFile(path, 'utf8')
  expect(text).not.toContain('one')
  expect(text).toContain('body of two')
})

test('with nothing left, it has no text of a message', async () => {
  const outbox = await opened()
  for (const id of ['one', 'two']) await outbox.put(written(id, 'secret'))
  await outbox.remove('one')
  expect(await readFile(path, 'utf8')).toContain('secret')
  await outbox.remove('two')
  expect(await readFile(path, 'utf8')).not.toContain('secret')
  await outbox.put(written('three'))
  expect(await found()).toEqual(['three'])
})

test('it does not grow for ever while it is open', async () => {
  const outbox = await opened()
  await outbox.put(written('stays'))
  for (let at = 0; at < 50; at += 1) {
    await outbox.put(written(`m${at}`, 'x'.repeat(100_000)))
    await outbox.remove(`m${at}`)
  }
  expect((await stat(path)).size).toBeLessThan(1_500_000)
  await outbox.put(written('last'))
  expect(await found()).toEqual(['stays', 'last'])
})

test('a file that is cut off while it is written anew does not get in the way', async () => {
  await (await opened()).put(written('one'))
  await writeFile(`${path}.new`, '{"out')
  expect(await found()).toEqual(['one'])
})

test('another client that opens it takes it over', async () => {
  const [first, message] = [await opened(), written('two')]
  await first.put(written('one'))
  const second = await opened()
  await expect(first.put(message)).rejects.toThrow('Another client has opened')
  await expect(first.remove('one')).rejects.toThrow('Another client has opened')
  await second.put(message)
  expect(await found()).toEqual(['one', 'two'])
})

test('a write that fails fails its messages alone', async () => {
  const outbox = await opened()
  await outbox.put(written('one'))
  const text = await readFile(path)
  await unlink(path)
  await expect(outbox.put(written('two'))).rejects.toThrow('ENOENT')
  await writeFile(path, text)
  await outbox.put(written('three'))
  expect(await found()).toEqual(['one', 'three'])
})

test('a file of something else is left alone', async () => {
  await writeFile(path, '{"name": "app"}\n')
  await expect(opened()).rejects.toThrow('is no outbox')
  expect(await readFile(path, 'utf8')).toBe('{"name": "app"}\n')
})
