/** The messages between a page and the frame that it embeds; `embed.js` is on the page's side. */
import type { Tokens } from '@synctalk/client/contracts'

/** What the page's own backend gave: a token to exchange, tokens of ours, or that it knows nobody. */
export type Given = { token: string } | Tokens | 'nobody' | 'failed'

export type Colors = Readonly<Record<string, string>>

export interface Start {
  synctalk: 'start'
  /** A conversation's id, or `external:` and what the host app calls it. */
  conversation: string | null
  /** The code of an invite. */
  invite: string | null
  theme: string | null
  colors: Colors
  open: boolean
}

export type ToFrame = Start | { synctalk: 'shown'; open: boolean } | { synctalk: 'token'; given: Given }

export type ToPage =
  { synctalk: 'token-wanted' } | { synctalk: 'unread'; count: number } | { synctalk: 'close' }

/** Return the kind of a message of ours; null: it is none. */
export function kindOf(data: unknown): unknown {
  return typeof data === 'object' && data !== null && 'synctalk' in data ? data.synctalk : null
}
