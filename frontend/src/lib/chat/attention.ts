/** Of which messages a user wants to be notified, by a conversation's notification settings. Pure. */
import type { NotificationSettings } from '@/contracts'
import type { Thread } from './state'
import type { Summary } from './summaries'

/** Whether to notify of a message, by the server's rule for pushes. */
export function isWanted(
  { level, muted_until }: NotificationSettings,
  mentioned: boolean,
  now: number,
): boolean {
  if (muted_until != null && Date.parse(muted_until) > now) return false
  return level === 'mentions' ? mentioned : level !== 'none'
}

/** How many unread messages of a conversation count in the title and the badge. */
export function countedUnread(
  summary: Summary,
  messages: Thread['messages'],
  settings: NotificationSettings,
  me: string,
  now: number,
): number {
  if (summary.unread === 0 || !isWanted(settings, true, now)) return 0
  if (settings.level !== 'mentions') return summary.unread
  let count = 0
  for (const message of messages.values()) {
    if (message.seq > summary.readSeq && message.mentions.includes(me)) count += 1
  }
  return count
}
