import { useEffect, useSyncExternalStore } from 'react'
import { markRead } from '@/lib/live/receipts'

const EVENTS = ['focus', 'blur'] as const

function subscribe(listener: () => void): () => void {
  document.addEventListener('visibilitychange', listener)
  for (const event of EVENTS) window.addEventListener(event, listener)
  return () => {
    document.removeEventListener('visibilitychange', listener)
    for (const event of EVENTS) window.removeEventListener(event, listener)
  }
}

/** Whether the person is looking: the page is visible and has the focus. */
export const useLooking = (): boolean =>
  useSyncExternalStore(subscribe, () => document.visibilityState === 'visible' && document.hasFocus())

/** What was in view while the person looked is read. */
export function useReading(conversationId: string, looking: boolean, seenUpTo: number | null): void {
  useEffect(() => {
    if (looking && seenUpTo !== null) markRead(conversationId, seenUpTo)
  }, [conversationId, looking, seenUpTo])
}
