import { useEffect, useState } from 'react'
import { useConnection } from '@/lib/socket'
import { texts } from '@/lib/text/texts'

/** A short break is nobody's concern. */
const GRACE_MS = 1_500
/** After so many tries it is no passing trouble any more. */
const FEW = 4

/** One thin line while there is no connection, gone by itself. */
export function ConnectionLine() {
  const connection = useConnection()
  const online = useBrowserOnline()
  if (connection.state !== 'waiting') return <div role="status" />
  return (
    <div role="status">
      <Line key={String(online)} afterMs={online ? GRACE_MS : 0}>
        {online && connection.attempt < FEW ? texts.connection.reconnecting : texts.connection.offline}
      </Line>
    </div>
  )
}

function Line({ afterMs, children }: { afterMs: number; children: string }) {
  const [felt, setFelt] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setFelt(true), afterMs)
    return () => clearTimeout(timer)
  }, [afterMs])
  return (
    felt && (
      <p className="animate-appear bg-warn-soft px-4 py-1 text-center text-meta text-warn">{children}</p>
    )
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
