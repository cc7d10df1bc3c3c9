import type { Change } from '../chat/changes/index.js'
import type { ServerEvent } from './connection.js'

/** A little more than the server's, whose end of typing normally arrives. */
const TYPING_TTL_MS = 7_000

/** Return a live event as a change; null for those that change nothing here. */
export function changeOf(event: ServerEvent, now: number): Change | null {
  switch (event.event) {
    case 'message:new':
    case 'message:updated':
    case 'message:deleted':
      return { type: 'message', message: event.payload }
    case 'conversation:new':
    case 'conversation:updated':
      return { type: 'conversation', conversation: event.payload, live: true }
    case 'conversation:removed':
      return { type: 'removed', conversation_id: event.payload.id, change_seq: null }
    case 'member:changed':
      return { type: 'member', ...event.payload }
    case 'thread:changed':
      return { type: 'head', ...event.payload }
    case 'receipt:updated':
      return { type: 'receipt', ...event.payload }
    case 'typing': {
      const { conversation_id, thread_id = null, user_id, active } = event.payload
      const until = active ? now + TYPING_TTL_MS : null
      return { type: 'typing', conversation_id, thread_id, user_id, until }
    }
    case 'user:updated':
      return { type: 'users', users: [event.payload] }
    case 'presence:changed':
      return { type: 'presence', presence: event.payload }
    default:
      return null
  }
}
