import type { User } from '@synctalk/client/contracts'
import { texts } from '@/lib/text/texts'
import type { Summary } from '@synctalk/client/chat/summaries'

export const nameOf = (user: User | undefined | null): string => user?.display_name ?? texts.someone

/** What a conversation is called: its title, or the other member. */
export const titleOf = (summary: Pick<Summary, 'title' | 'peer'>): string =>
  summary.title ?? (summary.peer === null ? texts.conversations.untitled : nameOf(summary.peer))
