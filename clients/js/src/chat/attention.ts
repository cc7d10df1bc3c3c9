/** Of which messages a user wants to be notified, by their notification settings. Pure. */
import type { AllNotificationSettings, Message, NotificationSettings, QuietHours } from '../contracts.js'
import { isMention, type Summary } from './summaries.js'

/** What holds for one conversation: its own settings, or those for all. */
export const settingsOf = (all: AllNotificationSettings, id: string): NotificationSettings =>
  all.conversations[id] ?? { level: all.settings.level ?? 'all', muted_until: null }

export const isMuted = ({ muted_until }: NotificationSettings, now: number): boolean =>
  muted_until != null && Date.parse(muted_until) > now

/** Return the level of one's own here; null where that for all conversations holds. */
export function ownLevel(
  all: AllNotificationSettings,
  id: string,
  now: number,
): NotificationSettings['level'] | null {
  const own = all.conversations[id]
  if (own === undefined) return null
  // One that is only muted is listed too, with the level for all.
  return isMuted(own, now) && own.level === (all.settings.level ?? 'all') ? null : (own.level ?? null)
}

/** Whether to notify of a message, by the server's rule for pushes; `toMe`: it is direct, or a mention. */
export function isWanted(settings: NotificationSettings, toMe: boolean, now: number): boolean {
  if (isMuted(settings, now)) return false
  return settings.level === 'mentions' ? toMe : settings.level !== 'none'
}

/** Whether a message is to the user, and not only to all. */
export const isToMe = (message: Message, type: Summary['type'], me: string): boolean =>
  type === 'direct' || isMention(message, me)

/** How many unread messages of a conversation count in the title and the badge. */
export function countedUnread(summary: Summary, settings: NotificationSettings, now: number): number {
  if (!isWanted(settings, true, now)) return 0
  return isWanted(settings, false, now) || summary.type === 'direct' ? summary.unread : summary.mentions
}

/** Whether the hours are now, on the clocks of their time zone; they may pass midnight. */
export function isQuiet(hours: QuietHours | null | undefined, now: number): boolean {
  if (hours == null || hours.from === hours.to) return false
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: hours.time_zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(now)
  const after = clock >= hours.from
  const before = clock < hours.to
  return hours.from < hours.to ? after && before : after || before
}
