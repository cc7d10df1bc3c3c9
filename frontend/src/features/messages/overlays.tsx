import { useEffect, useState, type ReactNode } from 'react'
import { Icon } from '@/components/Icon'
import { nameOf } from '@/lib/chat/names'
import { isThreadOnly } from '@synctalk/client/chat/replies'
import { excerptOf } from '@/lib/chat/excerpts'
import { dayInWords } from '@/lib/text/format'
import { texts } from '@/lib/text/texts'
import { useNow } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'
import { useMessageActions } from './actions'
import { atMost } from '@/lib/text/inUse'

const t = texts.messages

/** Children of the scroller, so that the wheel turns over them too; they take no space of their own. */
const Pinned = ({ edge, children }: { edge: 'top' | 'bottom'; children: ReactNode }) => (
  <div className={`pointer-events-none sticky z-10 h-0 shrink-0 ${edge === 'top' ? 'top-0' : 'bottom-0'}`}>
    {children}
  </div>
)

const FADE_AFTER_MS = 1_000

/** True while `on`, and for a moment longer. */
function useLingering(on: boolean): boolean {
  const [shown, setShown] = useState(on)
  if (on && !shown) setShown(true)
  useEffect(() => {
    if (on) return
    const timer = setTimeout(() => setShown(false), FADE_AFTER_MS)
    return () => clearTimeout(timer)
  }, [on])
  return shown
}

/** The day of the first message in view, while one scrolls. */
export function FloatingDay({ iso, scrolling }: { iso: string | null; scrolling: boolean }) {
  const { chooseDate } = useMessageActions()
  const now = useNow()
  const shown = useLingering(scrolling)
  if (iso === null) return null
  return (
    <Pinned edge="top">
      <div
        aria-hidden="true"
        data-floating-day
        className={`absolute inset-x-0 top-2 flex justify-center transition-opacity duration-150 ${shown ? '' : 'opacity-0'}`}
      >
        {/* By keyboard the line of the day itself does it. */}
        <button
          type="button"
          tabIndex={-1}
          onClick={() => chooseDate(iso)}
          className={`rounded-full border border-border bg-bg px-2.5 py-0.5 text-small font-medium text-text-muted hover:text-text ${shown ? 'pointer-events-auto' : ''}`}
        >
          {dayInWords(iso, now)}
        </button>
      </div>
    </Pinned>
  )
}

export const OlderLoading = () => (
  <Pinned edge="top">
    <div role="status" className="after-a-moment absolute inset-x-0 top-10 flex justify-center">
      <span className="rounded-full bg-bg-float px-3 py-1 text-small text-text-muted shadow-float">
        {texts.loading}…
      </span>
    </div>
  </Pinned>
)

interface NewAboveProps {
  /** How many new messages begin above the view. */
  count: number
  onUp: () => void
  /** Given where some of them were jumped over, and so are unread still. */
  onRead: (() => void) | null
}

export const NewAbove = ({ count, onUp, onRead }: NewAboveProps) => (
  <Pinned edge="top">
    <div className="absolute inset-x-0 top-10 flex justify-center">
      <div className="pointer-events-auto flex animate-rise overflow-clip rounded-full bg-accent text-meta font-medium text-accent-text shadow-float">
        <button
          type="button"
          onClick={onUp}
          className="inline-flex min-h-8 items-center gap-1.5 ps-2.5 pe-3.5 -outline-offset-2 hover:bg-accent-hover pointer-coarse:min-h-11"
        >
          <Icon name="up" size={16} />
          {t.newMessages(count)}
        </button>
        {onRead !== null && (
          <button
            type="button"
            title={t.markRead}
            aria-label={t.markRead}
            onClick={onRead}
            className="inline-flex min-h-8 items-center ps-1.5 pe-2.5 -outline-offset-2 hover:bg-accent-hover pointer-coarse:min-h-11 pointer-coarse:min-w-11"
          >
            <Icon name="close" size={16} />
          </button>
        )}
      </div>
    </div>
  </Pinned>
)

/** To the newest message, of which so many came below. */
export const ToNewest = ({ below, onDown }: { below: number; onDown: () => void }) => (
  <Pinned edge="bottom">
    <button
      type="button"
      title={t.toNewest}
      aria-label={below > 0 ? t.cameBelow(below) : t.toNewest}
      onClick={onDown}
      className="pointer-events-auto absolute end-5 bottom-3 flex size-10 animate-rise items-center justify-center rounded-full border border-border bg-bg-float text-text-muted shadow-float hover:text-text pointer-coarse:size-11"
    >
      <Icon name="down" />
      {below > 0 && (
        <span className="figures absolute -top-2 flex h-5 min-w-5 items-center justify-center rounded-full bg-accent px-1.5 text-small font-semibold text-accent-text">
          {atMost(below, 99)}
        </span>
      )}
    </button>
  </Pinned>
)

/** How many announcements stay: removing one while it is read out would cut it off. */
const MAX_ANNOUNCED = 20

/** Announces the messages of others, in a conversation or one of its threads, to screen readers, politely. Each is an addition, also when its text is the same. */
export function Announcer({ conversationId, threadId }: { conversationId: string; threadId: string | null }) {
  const live = useLive()
  const [announced, setAnnounced] = useState<readonly { id: string; text: string }[]>([])
  useEffect(
    () =>
      live.onMessage((message) => {
        if (message.conversation_id !== conversationId) return
        // What is in both is said once.
        if (isThreadOnly(message) ? message.thread_id !== threadId : threadId !== null) return
        const { users } = live.chat.current
        const text = t.announce(nameOf(users[message.sender_id]), excerptOf(message))
        setAnnounced((before) => [...before, { id: message.id, text }].slice(-MAX_ANNOUNCED))
      }),
    [live, conversationId, threadId],
  )
  return (
    <div aria-live="polite" aria-relevant="additions" className="sr-only">
      {announced.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  )
}
