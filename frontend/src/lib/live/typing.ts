/** One's own typing, told to others: renewed while it goes on, ended when it ends. */
import { say } from '@/lib/socket'

const RENEW_MS = 3_000
const IDLE_MS = 5_000

let current: { conversationId: string; saidAt: number; idle: ReturnType<typeof setTimeout> } | null = null

export function typed(conversationId: string, now = Date.now()): void {
  if (current !== null && current.conversationId !== conversationId) stopTyping()
  const saidAt = current?.saidAt ?? -Infinity
  if (current !== null) clearTimeout(current.idle)
  const due = now - saidAt >= RENEW_MS
  if (due) say('typing:start', { conversation_id: conversationId })
  current = { conversationId, saidAt: due ? now : saidAt, idle: setTimeout(stopTyping, IDLE_MS) }
}

export function stopTyping(): void {
  if (current === null) return
  clearTimeout(current.idle)
  say('typing:stop', { conversation_id: current.conversationId })
  current = null
}

/** A message ends typing by itself. */
export function typingEndedByMessage(): void {
  if (current !== null) clearTimeout(current.idle)
  current = null
}
