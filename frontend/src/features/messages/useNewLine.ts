import { useCallback, useState } from 'react'
import type { Summary } from '@synctalk/client/chat/summaries'

/**
 * The line "New" stands at the first message that was unread when the conversation was opened, or that came while the
 * user looked elsewhere. One's own message takes it away.
 */
export function useNewLine(
  summary: Summary,
  looking: boolean,
  sentCount: number,
): { newFrom: number | null; clear: () => void } {
  const firstUnread = summary.unread > 0 ? summary.readSeq + 1 : null
  const [newFrom, setNewFrom] = useState(firstUnread)
  const [sentBefore, setSentBefore] = useState(sentCount)
  if (sentCount !== sentBefore) {
    setSentBefore(sentCount)
    setNewFrom(null)
  } else if (!looking && firstUnread !== null && (newFrom === null || newFrom < firstUnread)) {
    setNewFrom(firstUnread)
  }
  const clear = useCallback(() => setNewFrom(null), [])
  return { newFrom, clear }
}
