import { useEffect, useSyncExternalStore } from 'react'
import { useLive } from '@/lib-react/session'

const EVENTS = ['focus', 'blur'] as const

function subscribe(listener: () => void): () => void {
  document.addEventListener('visibilitychange', listener)
  for (const event of EVENTS) window.addEventListener(event, listener)
  return () => {
    document.removeEventListener('visibilitychange', listener)
    for (const event of EVENTS) window.removeEventListener(event, listener)
  }
}

/** Whether the user is looking: the page is visible and has the focus. */
export const useLooking = (): boolean =>
  useSyncExternalStore(subscribe, () => document.visibilityState === 'visible' && document.hasFocus())

/** Mark as read what was in view while the user was looking. */
export function useReading(conversationId: string, looking: boolean, seenUpTo: number | null): void {
  const { receipts } = useLive()
  useEffect(() => {
    if (looking && seenUpTo !== null) receipts.markRead(conversationId, seenUpTo)
  }, [receipts, conversationId, looking, seenUpTo])
}
