import { useCallback, useEffect, useRef, useState } from 'react'
import { useConnection, useThread } from '@/lib-react/chat'
import { useLive } from '@/lib-react/session'
import { CallError } from '@synctalk/client/errors'

interface Replies {
  /** From here on all replies are known; null while none were loaded. */
  from: number | null
  busy: boolean
  /** Why they could not be loaded. */
  failure: string | null
  older: () => void
  retry: () => void
}

/**
 * Loads a thread's replies, the newest first: at once as far back as `wanted`, further pages when they are asked for, and
 * all anew once a reset has made them stale.
 */
export function useReplies(conversationId: string, threadId: string, wanted: number | null): Replies {
  const { threads } = useLive()
  const { staleAt } = useThread(conversationId)
  const connection = useConnection((state) => (state.state === 'live' ? state.connectionId : null))
  const [from, setFrom] = useState<number | null>(null)
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)
  const [attempt, setAttempt] = useState(0)
  const running = useRef(false)

  const load = useCallback(
    async (begin: number | null) => {
      if (running.current) return
      running.current = true
      setBusy(true)
      try {
        let at = begin
        do at = await threads.loadReplies(conversationId, threadId, at)
        while (at > 0 && wanted !== null && at > wanted)
        setFrom(at)
        setFailure(null)
      } catch (error) {
        setFailure(error instanceof CallError ? error.code : 'other')
      } finally {
        running.current = false
        setBusy(false)
      }
    },
    [conversationId, threadId, threads, wanted],
  )
  useEffect(() => {
    // Also with each new connection: replies may have been changed beyond what sync gave.
    queueMicrotask(() => void load(null))
  }, [load, staleAt, connection, attempt])

  return {
    from,
    busy,
    failure: from === null ? failure : null,
    older: () => void load(from),
    retry: () => setAttempt(attempt + 1),
  }
}
