import type { ToServerEvents } from '@synctalk/client/contracts'
import { CallError } from '@synctalk/client/errors'
import { failureText } from '@/lib/text/texts'
import { useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'

/** Return what sets one's presence, and shows a failure by a toast. */
export function useSetPresence(): (wish: ToServerEvents['presence:set']) => void {
  const { connection } = useLive()
  const toast = useToast()
  return (wish) => {
    connection
      .request('presence:set', wish)
      .catch((error: unknown) => toast(failureText(error instanceof CallError ? error.code : 'other')))
  }
}
