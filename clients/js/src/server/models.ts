/** What a server key's calls return, beside what clients see too. */
import type { ErrorDetail, FeedEvent, Message, ServerUser, User } from '../contracts.js'

/** What happened, for a backend: in the feed, or by a webhook. It may come more than once, with the same `id`. */
export type HostEvent = FeedEvent

export interface HostEvents {
  items: HostEvent[]
  /** To be given as `after`. */
  next: string
}

/** What became of one user of a batch. */
export interface UserOutcome {
  external_id: string
  user?: ServerUser | null
  error?: ErrorDetail | null
}

/** What became of one message of a batch. */
export interface MessageOutcome {
  message?: Message | null
  error?: ErrorDetail | null
}

export interface CreatedBot {
  user: User
  /** Shown only once. */
  token: string
}

export interface CreatedKey {
  id: string
  /** Shown only once. */
  key: string
}

export interface ServerKeyInfo {
  id: string
  name: string
  scopes: string[]
  created_at: string
  expires_at: string | null
  last_used_at: string | null
}

export interface CreatedWebhook {
  id: string
  /** Shown only once. */
  secret: string
}

export interface WebhookInfo {
  id: string
  url: string
  types: string[]
  description: string
  active: boolean
  created_at: string
  failing_since: string | null
  /** The new one, where it was just rotated. */
  secret?: string | null
}

export interface WebhookDelivery {
  event_id: string
  type: string
  status: 'pending' | 'delivered' | 'dead'
  attempts: number
  last_status: number | null
  last_error: string | null
  next_try_at: string | null
}
