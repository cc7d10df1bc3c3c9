import { useEffect, useState } from 'react'
import { slowModeLeft } from '@synctalk/client/chat/closed'
import type { Summary } from '@synctalk/client/chat/summaries'
import { durationInWords } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { useMe, useThread } from '@/lib-react/chat'

const t = lazyTexts.closed

/** Above the composer in slow mode: how often one may write, and how long it takes until the next goes out. */
export default function SlowMode({ summary }: { summary: Summary }) {
  const me = useMe()
  const { messages, top } = useThread(summary.id)
  const [now, setNow] = useState(() => Date.now())
  let lastOwnAt: string | null = null
  for (let seq = top; seq > 0 && lastOwnAt === null; seq -= 1) {
    const message = messages.get(seq)
    if (message === undefined) break
    if (message.sender_id === me && message.system == null) lastOwnAt = message.created_at
  }
  const left = slowModeLeft(summary, lastOwnAt, now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  return (
    <p className="figures mx-auto flex w-full max-w-column items-center gap-1.5 px-5 pb-1 text-small text-text-muted">
      {left > 0 ? t.slowModeWait(durationInWords(left)) : t.slowMode(durationInWords(summary.slowModeS))}
    </p>
  )
}
