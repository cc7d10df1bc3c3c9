import { useEffect, useState } from 'react'
import { Link } from 'react-router'
import type { Message } from '@synctalk/client/contracts'
import { Avatar } from '@/components/Avatar'
import { IconButton } from '@/components/Button'
import { Bone, Empty, Failed, Loading } from '@/components/States'
import { useClosed, useConnection, useThread, useUser } from '@/lib-react/chat'
import { useNow, useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'
import { nameOf } from '@/lib/chat/names'
import { excerptOf } from '@/lib/chat/excerpts'
import { mayNow } from '@synctalk/client/chat/closed'
import { pinnedIn, type Summary } from '@synctalk/client/chat/summaries'
import { CallError } from '@synctalk/client/errors'
import { fullTime, shortTime } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText } from '@/lib/text/texts'

const t = lazyTexts.pins

/** What is pinned in a conversation, the latest first; each leads to its place. */
export default function PinsPane({ summary, onClose }: { summary: Summary; onClose: () => void }) {
  const { id, pinsCount } = summary
  const thread = useThread(id)
  const { loaded, failed, retry } = usePins(id)
  const closed = useClosed(summary)
  const pins = pinnedIn(thread)
  return (
    <aside aria-label={t.title} className="flex h-full flex-col bg-bg">
      <header className="flex h-14 shrink-0 items-center justify-between border-b border-border ps-4 pe-2">
        <h2 className="text-title font-semibold">{t.title}</h2>
        <IconButton icon="close" label={t.close} onClick={onClose} />
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain p-2">
        {failed && pins.length < pinsCount && <Failed text={t.couldNotLoad} onRetry={retry} />}
        {!loaded && !failed && pins.length === 0 && (
          <Loading>
            <Bone className="m-2 h-16" />
            <Bone className="m-2 h-16" />
          </Loading>
        )}
        {loaded && pins.length === 0 && <Empty icon="pin" title={t.none} lead={t.noneLead} />}
        <ul aria-label={t.title}>
          {pins.map((message) => (
            <Pin key={message.id} message={message} mayUnpin={mayNow('pin', summary, closed?.why ?? null)} />
          ))}
        </ul>
      </div>
    </aside>
  )
}

/** Load the pins, and again with each new connection; events do the rest. */
function usePins(id: string): { loaded: boolean; failed: boolean; retry: () => void } {
  const { messages } = useLive()
  const connection = useConnection((state) => (state.state === 'live' ? state.connectionId : null))
  const [outcome, setOutcome] = useState<'loaded' | 'failed' | null>(null)
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    let left = false
    messages.loadPins(id).then(
      () => !left && setOutcome('loaded'),
      () => !left && setOutcome('failed'),
    )
    return () => {
      left = true
    }
  }, [messages, id, connection, attempt])
  return {
    loaded: outcome === 'loaded',
    failed: outcome === 'failed',
    retry: () => setAttempt(attempt + 1),
  }
}

/** On a phone the conversation takes the pane's place. */
const placeOf = ({ conversation_id, seq }: Message): string =>
  `/c/${conversation_id}${window.matchMedia('(min-width: 768px)').matches ? '/pins' : ''}?at=${String(seq)}`

function Pin({ message, mayUnpin }: { message: Message; mayUnpin: boolean }) {
  const { messages } = useLive()
  const toast = useToast()
  const sender = useUser(message.sender_id)
  const now = useNow()
  const name = nameOf(sender)
  const unpin = (): void =>
    void messages
      .pin(message, false)
      .catch((error: unknown) => toast(failureText(error instanceof CallError ? error.code : 'other')))
  return (
    <li className="flex items-start gap-1 rounded-card p-1 hover:bg-bg-raised">
      <Link to={placeOf(message)} className="flex min-w-0 flex-1 gap-3 rounded-card p-2 -outline-offset-2">
        <Avatar id={message.sender_id} name={name} url={sender?.avatar_url ?? null} size={32} />
        <span className="min-w-0 flex-1">
          <span className="flex items-baseline gap-2 text-meta">
            <bdi className="truncate font-semibold">{name}</bdi>
            <time
              dateTime={message.created_at}
              title={fullTime(message.created_at)}
              className="figures shrink-0 text-small text-text-faint"
            >
              {shortTime(message.created_at, now)}
            </time>
          </span>
          <span dir="auto" className="line-clamp-4 block text-message wrap-anywhere">
            {excerptOf(message)}
          </span>
        </span>
      </Link>
      {mayUnpin && (
        <IconButton icon="close" size={16} label={t.unpinOf(name)} title={t.unpin} onClick={unpin} />
      )}
    </li>
  )
}
