/**
 * Uploads files: what is attached to the message that one is writing, by conversation, and pictures of users and groups.
 *
 * A few go up at a time, the rest waits for them. What fails for want of a connection goes on by itself with the next one.
 * What is attached outlives the view of its conversation, but not the page.
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { File as StoredFile } from '../contracts.js'
import { isShownAsItIs } from '../chat/files.js'
import { CallError, hasCode, isPassing } from '../errors.js'
import type { Rest } from '../http.js'
import { freshId } from '../ids.js'
import { backoffMs, sleep } from '../timing.js'
import type { Connection } from './connection.js'
import type { FileContents } from './fileContents.js'

/** The server takes so many in one message. */
export const MAX_FILES = 10
const MAX_PARALLEL = 3
/** How often an upload that was refused as too fast is begun again before that is shown. */
const MAX_TRIES = 5
const MAX_NAME = 255
/** Looking at 25 MiB takes the server a while. */
const COMPLETE_TIMEOUT_MS = 60_000
/** Says nothing of what a file is: the server finds out. Who says that it is a picture has to send one. */
const UNKNOWN_TYPE = 'application/octet-stream'

export type UploadState =
  | { state: 'waiting' }
  /** `sent`: the part that is sent, from 0 to 1. */
  | { state: 'uploading'; sent: number }
  | { state: 'ready'; file: StoredFile }
  | { state: 'failed'; reason: string; passing: boolean }

export interface Attachment {
  key: string
  name: string
  size: number
  /** As the browser names it. */
  type: string
  upload: UploadState
}

type Attachments = Readonly<Record<string, readonly Attachment[]>>

interface Announced {
  file: StoredFile
  upload: { method: string; url: string; headers: Record<string, string> }
}

type Purpose = 'message' | 'avatar'

/** Always the same, for views that compare. */
const NONE: readonly Attachment[] = Object.freeze([])
export const attachmentsIn = (all: Attachments, conversationId: string): readonly Attachment[] =>
  all[conversationId] ?? NONE

export class Uploads {
  readonly attachments: StoreApi<Attachments> = createStore(() => ({}))
  private readonly blobs = new Map<string, Blob>()
  private readonly aborts = new Map<string, AbortController>()

  constructor(
    private readonly rest: Rest,
    private readonly connection: Connection,
    private readonly contents: FileContents,
    signal: AbortSignal,
  ) {
    let wasLive = connection.isLive
    const stop = connection.state.subscribe(({ state }) => {
      const isLive = state === 'live'
      if (isLive && !wasLive) this.retryPassing()
      wasLive = isLive
    })
    signal.addEventListener('abort', () => {
      stop()
      for (const abort of this.aborts.values()) abort.abort()
    })
  }

  /** Attach files and begin to upload them; returns how many were too many. */
  attach(conversationId: string, files: readonly File[]): number {
    const free = MAX_FILES - this.in(conversationId).length
    const taken = files.slice(0, Math.max(0, free))
    const added = taken.map((file): Attachment => {
      const key = freshId()
      this.blobs.set(key, file)
      const { size, type } = file
      const upload: UploadState =
        size === 0 ? { state: 'failed', reason: 'empty', passing: false } : { state: 'waiting' }
      return { key, name: nameOf(file), size, type, upload }
    })
    this.put(conversationId, [...this.in(conversationId), ...added])
    this.pump()
    return files.length - taken.length
  }

  /** Attach files that were uploaded before. */
  putBack(conversationId: string, files: readonly StoredFile[]): void {
    const added = files.map((file): Attachment => {
      const { id: key, name, size, content_type: type } = file
      return { key, name, size, type, upload: { state: 'ready', file } }
    })
    this.put(conversationId, [...added, ...this.in(conversationId)].slice(0, MAX_FILES))
  }

  remove(conversationId: string, key: string): void {
    this.aborts.get(key)?.abort()
    this.blobs.delete(key)
    this.put(
      conversationId,
      this.in(conversationId).filter((other) => other.key !== key),
    )
    this.pump()
  }

  retry(conversationId: string, key: string): void {
    this.set(conversationId, key, { state: 'waiting' })
    this.pump()
  }

  /** Take what is attached, to be sent; null while not all of it is uploaded. */
  take(conversationId: string): StoredFile[] | null {
    const all = this.in(conversationId)
    const files = all.flatMap(({ upload }) => (upload.state === 'ready' ? [upload.file] : []))
    if (files.length < all.length) return null
    for (const { key } of all) this.blobs.delete(key)
    this.put(conversationId, [])
    return files
  }

  /** What was chosen, to be shown before it is uploaded. */
  blobOf(key: string): Blob | undefined {
    return this.blobs.get(key)
  }

  /** Upload a picture of a user or a group, and return its address. */
  async uploadAvatar(picture: Blob, signal: AbortSignal): Promise<string> {
    const { url } = await this.upload(picture, 'avatar', signal, () => undefined)
    if (url === null) throw new CallError('invalid', 'The picture has no address.')
    return url
  }

  private in(conversationId: string): readonly Attachment[] {
    return attachmentsIn(this.attachments.getState(), conversationId)
  }

  private put(conversationId: string, attachments: readonly Attachment[]): void {
    this.attachments.setState({ [conversationId]: attachments })
  }

  private set(conversationId: string, key: string, upload: UploadState): void {
    this.put(
      conversationId,
      this.in(conversationId).map((one) => (one.key === key ? { ...one, upload } : one)),
    )
  }

  private retryPassing(): void {
    for (const [id, attachments] of Object.entries(this.attachments.getState())) {
      for (const { key, upload } of attachments)
        if (upload.state === 'failed' && upload.passing) this.set(id, key, { state: 'waiting' })
    }
    this.pump()
  }

  /** Begin what waits, as far as there is a place. */
  private pump(): void {
    for (const [id, attachments] of Object.entries(this.attachments.getState())) {
      for (const { key, upload } of attachments) {
        if (this.aborts.size >= MAX_PARALLEL) return
        if (upload.state === 'waiting') void this.run(id, key)
      }
    }
  }

  private async run(conversationId: string, key: string): Promise<void> {
    const blob = this.blobs.get(key)
    if (blob === undefined) return
    const abort = new AbortController()
    this.aborts.set(key, abort)
    this.set(conversationId, key, { state: 'uploading', sent: 0 })
    try {
      const file = await this.uploadSlowly(blob, abort.signal, (sent) =>
        this.set(conversationId, key, { state: 'uploading', sent }),
      )
      // One's own picture need not come back to be shown.
      if (isShownAsItIs(file)) this.contents.seed(file.id, blob)
      this.set(conversationId, key, { state: 'ready', file })
    } catch (error) {
      const reason = error instanceof CallError ? error.code : 'other'
      // Without a connection it is tried again as soon as there is one.
      const passing = isPassing(error) && !this.connection.isLive
      this.set(conversationId, key, { state: 'failed', reason, passing })
    } finally {
      this.aborts.delete(key)
      this.pump()
    }
  }

  /** Upload; what is refused as too fast is begun again after the pause that the server asks for. */
  private async uploadSlowly(
    blob: Blob,
    signal: AbortSignal,
    onSent: (part: number) => void,
  ): Promise<StoredFile> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.upload(blob, 'message', signal, onSent)
      } catch (error) {
        if (!hasCode(error, 'rate_limited') || tries >= MAX_TRIES || signal.aborted) throw error
        onSent(0)
        await sleep(error.retryAfterMs ?? backoffMs(tries), signal)
      }
    }
  }

  private async upload(
    blob: Blob,
    purpose: Purpose,
    signal: AbortSignal,
    onSent: (part: number) => void,
  ): Promise<StoredFile> {
    const content_type = purpose === 'avatar' ? blob.type : UNKNOWN_TYPE
    const data = { name: nameOf(blob), size: blob.size, content_type, purpose }
    const { file, upload } = await this.rest.call<Announced>({
      method: 'POST',
      url: '/v1/files',
      data,
      signal,
    })
    await this.rest.upload({
      ...upload,
      data: blob,
      signal,
      onUploadProgress: ({ progress }) => onSent(progress ?? 0),
    })
    return this.rest.call<StoredFile>({
      method: 'POST',
      url: `/v1/files/${file.id}/complete`,
      timeout: COMPLETE_TIMEOUT_MS,
      signal,
    })
  }
}

/** The name without what the server refuses in one: a path, controls, more than 255 characters. */
export function nameOf(blob: Blob): string {
  const given = blob instanceof File ? blob.name : ''
  const name = given.replace(/[/\\\p{Cc}\p{Cf}]/gu, ' ').trim()
  return [...(name === '' || name === '.' || name === '..' ? 'file' : name)].slice(-MAX_NAME).join('')
}
