import { useEffect } from 'react'
import type { Message } from '@synctalk/client/contracts'
import { nameOf } from '@/lib/chat/names'
import { systemText, usersNamedIn } from '@/lib/chat/systemText'
import { useChat, useMe } from './chat'
import { useLive } from './session'

/** Return what a system message says; users that are not known yet are loaded. `wrap` is put around each name. */
export function useSystemText(message: Message, wrap = (name: string): string => name): string {
  const { freshness } = useLive()
  const me = useMe()
  const users = useChat((state) => state.users)
  const unknown = usersNamedIn(message)
    .filter((id) => users[id] === undefined)
    .join(',')
  useEffect(() => {
    for (const id of unknown.split(',')) if (id !== '') freshness.wantUser(id)
  }, [freshness, unknown])
  return systemText(message, me, (id) => wrap(nameOf(users[id])))
}
