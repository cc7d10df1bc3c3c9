/**
 * What was begun and not sent, per conversation. In localStorage, which is written at once even as the page closes; by
 * user, so that a session that ends loses nothing. The composer has the live text, this keeps what outlives it.
 */
import { createStore, type StoreApi } from 'zustand/vanilla'
import { Timer } from '../timing.js'

/** Older drafts beyond this many are dropped. */
const MAX_DRAFTS = 200
const SETTLE_MS = 300

export type DraftTexts = Readonly<Record<string, string>>

const keyOf = (userId: string): string => `synctalk.drafts.${userId}`

export const eraseDrafts = (userId: string): void => localStorage.removeItem(keyOf(userId))

export class Drafts {
  readonly texts: StoreApi<DraftTexts>
  /** By conversation: the id of the message that one is answering; for as long as the page lives. */
  readonly replies: StoreApi<Readonly<Record<string, string>>> = createStore(() => ({}))
  private readonly timer: Timer
  private readonly key: string
  /** What was written last; with another place what waited is saved. */
  private pending: { id: string; text: string } | null = null

  constructor(
    userId: string,
    private readonly signal: AbortSignal,
  ) {
    this.key = keyOf(userId)
    this.timer = new Timer(signal)
    this.texts = createStore(() => this.read())
  }

  /** Follow what other tabs write. */
  start(): void {
    const onStorage = (event: StorageEvent): void => {
      if (event.key === this.key) this.texts.setState(this.read(), true)
    }
    window.addEventListener('storage', onStorage, { signal: this.signal })
  }

  get(conversationId: string): string {
    return this.texts.getState()[conversationId] ?? ''
  }

  /** Save a moment after the last key stroke. */
  saveSoon(id: string, text: string): void {
    if (this.pending !== null && this.pending.id !== id) this.flush()
    this.pending = { id, text }
    this.timer.restart(SETTLE_MS, this.flush)
  }

  /** Save at once what is waiting to be saved. */
  readonly flush = (): void => {
    if (this.pending === null) return
    const { id, text } = this.pending
    this.timer.clear()
    this.pending = null
    this.save(id, text)
  }

  /** Put a text before the draft; the composer shows it. */
  prepend(conversationId: string, text: string): void {
    this.flush()
    const begun = this.get(conversationId)
    this.save(conversationId, begun === '' ? text : `${text}\n${begun}`)
  }

  /** Answer this message with what is written next; null: none. */
  setReply(conversationId: string, messageId: string | null): void {
    const { [conversationId]: _old, ...others } = this.replies.getState()
    this.replies.setState(messageId === null ? others : { ...others, [conversationId]: messageId }, true)
  }

  private save(conversationId: string, text: string): void {
    const texts = this.texts.getState()
    // After the session the storage may have been erased, or be of the next one.
    if (this.signal.aborted || (texts[conversationId] ?? '') === text) return
    const { [conversationId]: _old, ...others } = texts
    const next = text.trim() === '' ? others : { ...others, [conversationId]: text }
    this.texts.setState(next, true)
    try {
      localStorage.setItem(
        this.key,
        JSON.stringify(Object.fromEntries(Object.entries(next).slice(-MAX_DRAFTS))),
      )
    } catch {
      // A full or forbidden storage: the draft lives as long as the page.
    }
  }

  private read(): DraftTexts {
    try {
      return JSON.parse(localStorage.getItem(this.key) ?? '{}') as DraftTexts
    } catch {
      return {}
    }
  }
}
