import type { Message } from '../contracts.js'
import { hasCode, isPassing } from '../errors.js'
import { backoffMs, sleep } from '../timing.js'

/** Readers are sent no more often. */
const SEND_EVERY_MS = 100
/** The server ends a message after 30 s of silence. */
const KEEP_ALIVE_MS = 10_000

/** Appends at an offset, and returns how far the text reaches then. */
export type SendText = (message: Message, at: number, text: string) => Promise<number>

/** A message whose text is sent while it is written; made by `Client.stream`. */
export class TextStream {
  private readonly abort = new AbortController()
  private parts: string[]
  private sent: number
  private more: (() => void) | null = null
  private failure: unknown = null
  private readonly sending: Promise<void>

  constructor(
    /** As it began. */
    readonly message: Message,
    private readonly send: SendText,
  ) {
    this.parts = [...message.body]
    this.sent = this.parts.length
    this.sending = this.sendAll().catch((error: unknown) => {
      this.failure = error
    })
  }

  /** All of it, what is still to be sent too. */
  get text(): string {
    return this.parts.join('')
  }

  /** Append to the message; it is sent within a tenth of a second. Throws what refused the text before. */
  append(text: string): void {
    if (this.failure !== null) throw this.failure as Error
    // Offsets are in code points, as JavaScript's strings are not.
    this.parts.push(...text)
    this.more?.()
  }

  /** Send nothing more. */
  async close(): Promise<void> {
    this.abort.abort()
    this.more?.()
    await this.sending
  }

  private async sendAll(): Promise<void> {
    for (let failures = 0; !this.abort.signal.aborted;) {
      if (this.sent === this.parts.length) await this.arrival()
      if (this.abort.signal.aborted) return
      try {
        this.sent = await this.send(this.message, this.sent, this.parts.slice(this.sent).join(''))
        failures = 0
        await sleep(SEND_EVERY_MS, this.abort.signal)
      } catch (error) {
        if (hasCode(error, 'conflict')) {
          // What the server has lost of it is sent again.
          const { at } = (error.details ?? {}) as { at?: number }
          if (at === undefined) throw error
          this.sent = at
        } else if (isPassing(error))
          await sleep(error.retryAfterMs ?? backoffMs(failures++), this.abort.signal)
        else throw error
      }
    }
  }

  /** Wait for more text, or until it is time for a sign of life. */
  private arrival(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, KEEP_ALIVE_MS)
      this.more = () => {
        clearTimeout(timer)
        this.more = null
        resolve()
      }
    })
  }
}
