/**
 * An outbox in a file, to which it appends. What was removed is left out when it is opened, when it has grown, and when
 * nothing else is in it.
 *
 * Who opens it writes a new file with a first line of its own, and each write looks at that line: a client whose file
 * was opened by another one fails, instead of writing what nobody reads. Unlike a lock it can't be left behind.
 */
import { constants } from 'node:fs'
import { open, readFile, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { OutboxStore, OutgoingMessage } from '../client/outbox.js'
import { freshId } from '../ids.js'
import { apply, firstLine, lineOf, messagesIn, type Entry } from './entries.js'

/** It has the text of messages. */
const MODE = 0o600
const COMPACT_BYTES = 1_048_576

/** Store messages on their way in a file of this client alone. */
export const fileOutbox = (path: string): OutboxStore => new FileOutbox(path)

class FileOutbox implements OutboxStore {
  private readonly first = firstLine(freshId())
  private messages = new Map<string, OutgoingMessage>()
  private entries: Entry[] = []
  /** The write of `entries`: what comes while another one goes on is written together. */
  private batch: Promise<void> = Promise.resolve()
  private compactAt = COMPACT_BYTES

  constructor(private readonly path: string) {}

  async load(): Promise<OutgoingMessage[]> {
    const messages = messagesIn(await textOf(this.path))
    if (messages === null) throw new Error(`${this.path} is no outbox.`)
    this.messages = messages
    await this.compact()
    return [...messages.values()]
  }

  put(message: OutgoingMessage): Promise<void> {
    return this.append({ put: message })
  }

  remove(clientMessageId: string): Promise<void> {
    return this.append({ removed: clientMessageId })
  }

  private append(entry: Entry): Promise<void> {
    if (this.entries.push(entry) === 1)
      this.batch = this.batch.catch(() => undefined).then(() => this.write(this.entries.splice(0)))
    return this.batch
  }

  private async write(entries: readonly Entry[]): Promise<void> {
    const size = await this.appendAll(entries)
    // It goes on as it is where there is no space for a second one.
    if (size > this.compactAt) await this.compact().catch(() => undefined)
  }

  /** Return how large the file is now. */
  private async appendAll(entries: readonly Entry[]): Promise<number> {
    const file = await open(this.path, constants.O_RDWR | constants.O_APPEND)
    try {
      await this.appendTo(file, entries)
      for (const entry of entries) apply(entry, this.messages)
      if (this.messages.size === 0) await file.truncate(this.first.length)
      return (await file.stat()).size
    } finally {
      await file.close()
    }
  }

  private async appendTo(file: FileHandle, entries: readonly Entry[]): Promise<void> {
    if (!(await this.isOurs(file))) throw new Error(`Another client has opened ${this.path}.`)
    const { size } = await file.stat()
    try {
      await file.appendFile(entries.map(lineOf).join(''))
      // A removal that is lost costs a repeat, which the server drops.
      if (entries.some((entry) => 'put' in entry)) await file.datasync()
    } catch (error) {
      // Their `send` fails: nothing of them may be sent by the next run.
      await file.truncate(size).catch(() => undefined)
      throw error
    }
  }

  private async isOurs(file: FileHandle): Promise<boolean> {
    const { buffer } = await file.read(Buffer.alloc(this.first.length), 0, this.first.length, 0)
    return buffer.toString() === this.first
  }

  private async compact(): Promise<void> {
    const text = this.first + [...this.messages.values()].map((put) => lineOf({ put })).join('')
    await replace(this.path, text)
    this.compactAt = Math.max(COMPACT_BYTES, 2 * Buffer.byteLength(text))
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

/** Write a file anew: whenever it is cut off, either the old one is there or the new one. */
async function replace(path: string, text: string): Promise<void> {
  const next = `${path}.new`
  await rm(next, { force: true })
  const file = await open(next, 'wx', MODE)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(next, path)
  await flushFolder(dirname(path))
}

/** Without this a power failure may take the new name back. Not every system lets a folder be opened. */
async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null)
  try {
    await folder?.sync()
  } catch {
    // As above.
  } finally {
    await folder?.close()
  }
}
