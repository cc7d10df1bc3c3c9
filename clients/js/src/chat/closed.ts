/** Why one cannot write in a conversation now, and how long one has to wait in slow mode. Pure. */
import { may } from './rights.js'
import type { Summary } from './summaries.js'

export type Closed =
  | { why: 'archived' | 'posting' | 'blocked' }
  /** `until` null: until it is lifted. */
  | { why: 'muted'; until: string | null }

/** `send`: also an answer, a reply in a thread, and what is forwarded into the conversation. */
export type Doing = 'send' | 'edit' | 'react' | 'pin'

/**
 * Whether the server takes it now, of messages that one may see: what of it views offer. `closed` is why sending is refused;
 * in an archived conversation, and to who is muted, it is all of these.
 */
export function mayNow(doing: Doing, summary: Summary, closed: Closed['why'] | null): boolean {
  if (closed === 'archived' || closed === 'muted') return false
  if (doing === 'send') return closed === null
  return doing !== 'pin' || may('pin', summary)
}

/** What has no end, the server sends with one that nobody lives to see. */
const FOREVER = '9000'

export const endOf = (until: string): string | null => (until >= FOREVER ? null : until)

/** Return why sending is refused; null where it is not. `blocked`: the user has blocked the peer. */
export function closedBecause(summary: Summary, blocked: boolean, now: number): Closed | null {
  if (summary.archivedAt !== null) return { why: 'archived' }
  if (blocked) return { why: 'blocked' }
  const { mutedUntil } = summary
  if (mutedUntil !== null && Date.parse(mutedUntil) > now) return { why: 'muted', until: endOf(mutedUntil) }
  if (summary.posting === 'admins' && !may('sendAsAdmin', summary)) return { why: 'posting' }
  return null
}

/** Return how many seconds one has to wait for the next message after an own one of that time. */
export function slowModeLeft(summary: Summary, lastOwnAt: string | null, now: number): number {
  if (summary.slowModeS === 0 || lastOwnAt === null || may('sendAtOnce', summary)) return 0
  const left = Math.ceil((Date.parse(lastOwnAt) - now) / 1000) + summary.slowModeS
  return Math.min(Math.max(0, left), summary.slowModeS)
}
