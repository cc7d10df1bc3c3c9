import type { PresenceStatus } from '@/contracts'
import { useChat, useMe } from '@/lib/chat/store'
import { useConnection } from '@/lib/socket'
import { usePresenceOf } from './presence'

/** One's own state as the others see it; who is connected and yet offline is invisible. */
export function useOwnStatus(): PresenceStatus {
  const me = useMe()
  usePresenceOf([me])
  const status = useChat((state) => state.presence[me]?.status)
  const live = useConnection((state) => state.state === 'live')
  return live ? (status ?? 'online') : 'offline'
}
