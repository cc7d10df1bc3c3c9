import { useEffect, useMemo } from 'react'
import type { User } from '@synctalk/client/contracts'
import { useChat } from '@/lib-react/chat'
import { useLive } from '@/lib-react/session'

const NO_IDS: readonly string[] = []
const NO_USERS: Readonly<Record<string, User>> = {}

/** Return the usernames of these users, as far as they are known; the others are loaded. */
export function useUsernames(ids: readonly string[] = NO_IDS): ReadonlySet<string> {
  const { freshness } = useLive()
  const users = useChat((state) => (ids.length === 0 ? NO_USERS : state.users))
  useEffect(() => {
    for (const id of ids) if (users[id] === undefined) freshness.wantUser(id)
  }, [freshness, ids, users])
  return useMemo(() => new Set(ids.flatMap((id) => users[id]?.username ?? [])), [ids, users])
}

/** Return one's own username, in lower case; empty while the members are not loaded. */
export const useOwnUsername = (): string =>
  useChat((state) => state.users[state.me]?.username.toLowerCase() ?? '')
