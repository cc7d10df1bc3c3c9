import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createStore } from 'zustand/vanilla'
import { storedFile } from '../chat/samples.js'
import { AfterUploads } from './afterUploads.js'
import type { Drafts } from './drafts.js'
import type { Outbox } from './outbox.js'
import type { Attachment, Uploads, UploadState } from './uploads.js'

const file = storedFile()
const abort = new AbortController()
const send = vi.fn()
let uploads: Pick<Uploads, 'attachments' | 'take'>
let after: AfterUploads

const BESIDE = { replyTo: null, threadId: 'root', alsoInConversation: true }
const become = (upload: UploadState): void => {
  const attachment: Attachment = { key: 'one', name: file.name, size: file.size, type: '', upload }
  uploads.attachments.setState({ 'room/root': [attachment] })
}

beforeEach(() => {
  uploads = { attachments: createStore(() => ({})), take: () => [file] }
  const drafts = { flush: vi.fn(), saveSoon: vi.fn(), setReply: vi.fn() } as unknown as Drafts
  after = new AfterUploads(uploads as Uploads, { send } as unknown as Outbox, drafts, abort.signal)
  become({ state: 'uploading', sent: 0 })
  after.begin('room/root', { conversationId: 'room', body: 'with a file', ...BESIDE })
})

afterEach(() => send.mockReset())

test('sent once, as soon as all of it is uploaded', () => {
  become({ state: 'uploading', sent: 0.5 })
  expect(send).not.toHaveBeenCalled()
  become({ state: 'ready', file })
  become({ state: 'ready', file })
  expect(send.mock.calls).toEqual([['room', 'with a file', { ...BESIDE, files: [file] }]])
})

test('a connection that is lost__is waited for; a file that is refused__ends it', () => {
  become({ state: 'failed', reason: 'network', passing: true })
  expect(after.waiting.getState()).toEqual({ 'room/root': expect.anything() as unknown })
  become({ state: 'failed', reason: 'too_large', passing: false })
  expect(after.waiting.getState()).toEqual({})
  become({ state: 'ready', file })
  expect(send).not.toHaveBeenCalled()
})

test('cancelled__is not sent', () => {
  after.cancel('room/root')
  become({ state: 'ready', file })
  expect(send).not.toHaveBeenCalled()
})
