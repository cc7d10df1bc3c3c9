import { useMemo } from 'react'
import type { Summary } from '@synctalk/client/chat/summaries'
import { useChat, useCutOff, useMe, usePresenceOf, useThread } from '@/lib-react/chat'

/** Presence is followed for so many members; in larger groups the rest is shown without. */
export const MAX_PRESENCE = 100
const NOBODY: readonly string[] = []

/** Return how many members of a group are there, oneself among them; 0: none of the others is, or it is not known. */
export function useOnlineCount(summary: Summary): number {
  const { members, membersLoaded } = useThread(summary.id)
  const me = useMe()
  const cutOff = useCutOff()
  const followed = useMemo(() => {
    if (!membersLoaded) return NOBODY
    const ids = Object.values(members).flatMap(({ user_id, role }) => (role === null ? [] : [user_id]))
    return ids.length > MAX_PRESENCE ? NOBODY : ids
  }, [members, membersLoaded])
  usePresenceOf(followed)
  return useChat(({ presence }) => {
    const there = followed.filter((id) => (presence[id]?.status ?? 'offline') !== 'offline')
    return cutOff || there.every((id) => id === me) ? 0 : there.length
  })
}
