import { Timer } from '../timing.js'
import type { Connection } from './connection.js'

const RENEW_MS = 3_000
const IDLE_MS = 5_000

/** Notifies others that the user is typing: renewed while it goes on, ended when it ends. */
export class TypingNotifier {
  private readonly idle: Timer
  private current: { conversationId: string; threadId: string | null; sentAt: number } | null = null

  constructor(
    private readonly connection: Connection,
    signal: AbortSignal,
  ) {
    this.idle = new Timer(signal)
  }

  /** `threadId` null: in the conversation itself. */
  typed(conversationId: string, threadId: string | null = null, now = Date.now()): void {
    const { current } = this
    if (current !== null && (current.conversationId !== conversationId || current.threadId !== threadId))
      this.stop()
    const sentAt = this.current?.sentAt ?? -Infinity
    const isDue = now - sentAt >= RENEW_MS
    const place = { conversation_id: conversationId, ...(threadId !== null && { thread_id: threadId }) }
    if (isDue) this.connection.notify('typing:start', place)
    this.current = { conversationId, threadId, sentAt: isDue ? now : sentAt }
    this.idle.restart(IDLE_MS, this.stop)
  }

  readonly stop = (): void => {
    if (this.current === null) return
    this.idle.clear()
    this.connection.notify('typing:stop', { conversation_id: this.current.conversationId })
    this.current = null
  }

  /** A message ends typing by itself. */
  endedByMessage(): void {
    this.idle.clear()
    this.current = null
  }
}
