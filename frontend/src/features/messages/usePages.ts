import { useCallback, useEffect, useRef, useState } from 'react'
import { useConnection, useThread } from '@/lib-react/chat'
import { CallError } from '@synctalk/client/errors'
import { useLive } from '@/lib-react/session'

/** Up to so many unread messages are reached by loading the newest page; beyond that, the page at the first of them. */
const NEAR = 40

type Work = 'around' | 'older' | 'newer'

interface Pages {
  /** Why the history cannot be shown or continued; null when it can. */
  failure: string | null
  /** What is being loaded; while something is, nothing else is begun. */
  busy: Work | null
  retry: () => void
  older: () => void
  newer: () => void
  /** Load anew: around this message, or the newest. */
  around: (seq: number | null) => Promise<void>
}

/**
 * Loads the history as it is needed: at first (around `wanted`, if there is a message to show), when a reset made it stale (at the place that `anchor` names, so that
 * readers keep theirs), and further at both ends. One page at a time.
 */
export function usePages(
  id: string,
  { wanted, firstUnread }: { wanted: number | null; firstUnread: number | null },
  anchor: () => number | null,
): Pages {
  const { loader } = useLive()
  const { range, staleAt, snapshot } = useThread(id)
  const [failure, setFailure] = useState<string | null>(null)
  const [busy, setBusy] = useState<Work | null>(null)
  const running = useRef<Work | null>(null)
  const connection = useConnection((state) => (state.state === 'live' ? state.connectionId : null))
  const [failedOn, setFailedOn] = useState(connection)
  const lastSeq = snapshot?.last_seq ?? 0

  const run = useCallback(async (work: Work, load: () => Promise<void>): Promise<void> => {
    if (running.current !== null) return
    running.current = work
    setBusy(work)
    try {
      await load()
      setFailure(null)
    } catch (error) {
      setFailure(error instanceof CallError ? error.code : 'other')
    } finally {
      running.current = null
      setBusy(null)
    }
  }, [])

  // A new connection retries by itself what failed while there was none.
  if (connection !== failedOn) {
    setFailedOn(connection)
    if (connection !== null) setFailure(null)
  }

  const needed = snapshot !== null && (range === null || staleAt !== null)
  const first = useCallback(() => {
    const far = firstUnread !== null && lastSeq - firstUnread > NEAR
    const place = range === null ? (wanted ?? (far ? firstUnread : null)) : anchor()
    void run('around', () => loader.loadHistory(id, place))
  }, [anchor, firstUnread, id, lastSeq, loader, range, run, wanted])

  useEffect(() => {
    if (needed && failure === null) queueMicrotask(first)
  }, [needed, failure, first])

  const older = useCallback(() => void run('older', () => loader.loadOlder(id)), [id, loader, run])
  const newer = useCallback(() => void run('newer', () => loader.loadNewer(id)), [id, loader, run])
  const around = useCallback(
    (seq: number | null) => run('around', () => loader.loadHistory(id, seq)),
    [id, loader, run],
  )
  const retry = useCallback(() => setFailure(null), [])
  return { failure, busy, retry, older, newer, around }
}
