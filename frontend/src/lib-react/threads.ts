/** What views read of threads. */
import { useEffect, useState } from 'react'
import { useStore } from 'zustand'
import type { Message, ThreadSummary } from '@synctalk/client/contracts'
import { replySummaryOf } from '@synctalk/client/chat/replies'
import { threadIn } from '@synctalk/client/chat/store'
import { unreadThreads, type ThreadState } from '@synctalk/client/live/threads'
import { useChat, useConnection } from './chat'
import { useLive } from './session'

/** Return what a root message says of its replies; null: it has none. */
export const useReplySummary = (root: Message): ThreadSummary | null =>
  useChat((state) => replySummaryOf(threadIn(state, root.conversation_id), root))

export const useThreadState = (threadId: string): ThreadState | undefined =>
  useStore(useLive().threads.known, (known) => known[threadId])

export const useUnreadThreads = (): number => useStore(useLive().threads.known, unreadThreads)

/** Load which threads are followed, with each connection; return whether it is known. */
export function useFollowed(): boolean {
  const { threads } = useLive()
  const connection = useConnection((state) => (state.state === 'live' ? state.connectionId : null))
  const [known, setKnown] = useState(false)
  useEffect(() => {
    // A failure costs only whether a thread is followed; the next connection asks again.
    if (connection !== null)
      threads.load().then(
        () => setKnown(true),
        () => undefined,
      )
  }, [threads, connection])
  return known
}
