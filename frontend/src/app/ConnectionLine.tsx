import { useEffect, useState } from 'react'
import { useConnection } from '@/lib/socket'
import { texts } from '@/lib/text/texts'

/** A short break is nobody's concern. */
const GRACE_MS = 1_500

/** One thin line while there is no connection, gone by itself. */
export function ConnectionLine() {
  const connection = useConnection()
  const waiting = connection.state === 'waiting'
  const online = useBrowserOnline()
  const [felt, setFelt] = useState(false)
  useEffect(() => {
    if (!waiting) return setFelt(false)
    const timer = setTimeout(() => setFelt(true), online ? GRACE_MS : 0)
    return () => clearTimeout(timer)
  }, [waiting, online])
  return (
    <div role="status">
      {felt && (
        <p className="animate-appear bg-warn-soft px-4 py-1 text-center text-meta text-warn">
          {online && connection.state === 'waiting' && connection.attempt < 4
            ? texts.connection.reconnecting
            : texts.connection.offline}
        </p>
      )}
    </div>
  )
}

function useBrowserOnline(): boolean {
  const [online, setOnline] = useState(navigator.onLine)
  useEffect(() => {
    const update = (): void => setOnline(navigator.onLine)
    window.addEventListener('online', update)
    window.addEventListener('offline', update)
    return () => {
      window.removeEventListener('online', update)
      window.removeEventListener('offline', update)
    }
  }, [])
  return online
}
