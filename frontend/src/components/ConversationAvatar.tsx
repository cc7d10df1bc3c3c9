import type { Summary } from '@synctalk/client/chat/summaries'
import type { PresenceStatus } from '@synctalk/client/contracts'
import { titleOf } from '@/lib/chat/names'
import { Avatar } from './Avatar'

interface ConversationAvatarProps {
  summary: Summary
  size: number
  /** Of the other user of a direct conversation. */
  status?: PresenceStatus | undefined
}

/** The picture of a conversation: of the other user, or of the group. */
export function ConversationAvatar({ summary, size, status }: ConversationAvatarProps) {
  const { id, peer, picture } = summary
  const isGroup = peer === null
  return (
    <Avatar
      id={peer?.id ?? id}
      name={titleOf(summary)}
      url={picture}
      group={isGroup}
      size={size}
      status={isGroup ? undefined : status}
    />
  )
}
