import type { Message } from '../../contracts.js'
import { NO_THREAD, type ChatState, type Thread } from '../state.js'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** The next state while a batch is applied: parts of the old state are copied when first written to. */
export class Draft {
  private readonly next: Mutable<ChatState>
  private readonly threads = new Map<string, Mutable<Thread>>()
  private readonly copiedMessages = new Map<string, Map<number, Message>>()

  constructor(private readonly old: ChatState) {
    this.next = { ...old }
  }

  get me(): string {
    return this.old.me
  }

  get state(): Mutable<ChatState> {
    return this.next
  }

  /** Return a thread for reading. */
  peek(id: string): Thread {
    return this.next.threads[id] ?? NO_THREAD
  }

  /** Return a thread for writing. */
  thread(id: string): Mutable<Thread> {
    let thread = this.threads.get(id)
    if (thread === undefined) {
      thread = { ...this.peek(id) }
      this.threads.set(id, thread)
      this.next.threads = { ...this.next.threads, [id]: thread }
    }
    return thread
  }

  /** Return the messages of a thread for writing. */
  messages(id: string): Map<number, Message> {
    const thread = this.thread(id)
    let messages = this.copiedMessages.get(id)
    if (messages === undefined || thread.messages !== messages) {
      messages = new Map(thread.messages)
      this.copiedMessages.set(id, messages)
      thread.messages = messages
    }
    return messages
  }
}
