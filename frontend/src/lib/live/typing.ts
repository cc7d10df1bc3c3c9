import { Timer } from '@/lib/timing'
import type { Connection } from './connection'

const RENEW_MS = 3_000
const IDLE_MS = 5_000

/** Notifies others that the user is typing: renewed while it goes on, ended when it ends. */
export class TypingNotifier {
  private readonly idle: Timer
  private current: { conversationId: string; sentAt: number } | null = null

  constructor(
    private readonly connection: Connection,
    signal: AbortSignal,
  ) {
    this.idle = new Timer(signal)
  }

  typed(conversationId: string, now = Date.now()): void {
    if (this.current !== null && this.current.conversationId !== conversationId) this.stop()
    const sentAt = this.current?.sentAt ?? -Infinity
    const isDue = now - sentAt >= RENEW_MS
    if (isDue) this.connection.notify('typing:start', { conversation_id: conversationId })
    this.current = { conversationId, sentAt: isDue ? now : sentAt }
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
