import type { Message } from '../contracts.js'

export interface Reaction {
  emoji: string
  count: number
  /** Who reacted, the first of them first; of very many not all. */
  userIds: readonly string[]
}

/** A message's reactions, in the order in which they began. */
export const reactionsOf = ({ reactions, reaction_counts }: Message): Reaction[] =>
  Object.entries(reactions).map(([emoji, userIds]) => ({
    emoji,
    userIds,
    count: Math.max(reaction_counts?.[emoji] ?? 0, userIds.length),
  }))

export const hasReacted = ({ reactions }: Message, emoji: string, userId: string): boolean =>
  reactions[emoji]?.includes(userId) === true
