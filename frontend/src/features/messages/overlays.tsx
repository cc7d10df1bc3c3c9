import { useEffect, useState } from 'react'
import { Icon } from '@/components/Icon'
import { nameOf } from '@/lib/chat/names'
import { useChat } from '@/lib/chat/store'
import { onIncoming } from '@/lib/live/live'
import { useNow } from '@/lib/now'
import { dayInWords } from '@/lib/text/format'
import { oneLine } from '@/lib/text/rich'
import { texts } from '@/lib/text/texts'

const t = texts.messages

/** The day of the first message in view, for as long as its separator is above. */
export function FloatingDay({ iso }: { iso: string | null }) {
  const now = useNow()
  if (iso === null) return null
  return (
    <div aria-hidden="true" className="pointer-events-none absolute inset-x-0 top-2 flex justify-center">
      <span className="rounded-full border border-border bg-bg px-2.5 py-0.5 text-small font-medium text-text-muted">
        {dayInWords(iso, now)}
      </span>
    </div>
  )
}

export const OlderLoading = () => (
  <div
    role="status"
    className="after-a-moment pointer-events-none absolute inset-x-0 top-10 flex justify-center"
  >
    <span className="rounded-full bg-bg-float px-3 py-1 text-small text-text-muted shadow-float">
      {texts.loading}…
    </span>
  </div>
)

interface JumpProps {
  /** How many new messages begin above the view; 0: none do. */
  newAbove: number
  /** How many came below; null when the newest is in view. */
  below: number | null
  onUp: () => void
  onDown: () => void
}

export function JumpButtons({ newAbove, below, onUp, onDown }: JumpProps) {
  return (
    <>
      {newAbove > 0 && (
        <div className="pointer-events-none absolute inset-x-0 top-10 flex justify-center">
          <button
            type="button"
            onClick={onUp}
            className="pointer-events-auto inline-flex min-h-8 animate-rise items-center gap-1.5 rounded-full bg-accent ps-2.5 pe-3.5 text-meta font-medium text-accent-text shadow-float hover:bg-accent-hover pointer-coarse:min-h-11"
          >
            <Icon name="up" size={16} />
            {t.newMessages(newAbove)}
          </button>
        </div>
      )}
      {below !== null && (
        <button
          type="button"
          title={t.toNewest}
          aria-label={below > 0 ? t.cameBelow(below) : t.toNewest}
          onClick={onDown}
          className="absolute end-5 bottom-3 flex size-10 animate-rise items-center justify-center rounded-full border border-border bg-bg-float text-text-muted shadow-float hover:text-text pointer-coarse:size-11"
        >
          <Icon name="down" />
          {below > 0 && (
            <span className="figures absolute -top-2 flex h-5 min-w-5 items-center justify-center rounded-full bg-accent px-1.5 text-small font-semibold text-accent-text">
              {below > 99 ? '99+' : below}
            </span>
          )}
        </button>
      )}
    </>
  )
}

/** Reads out what others write here, politely; one's own words one knows. */
export function Announcer({ conversationId }: { conversationId: string }) {
  const [text, setText] = useState('')
  useEffect(
    () =>
      onIncoming((message) => {
        if (message.conversation_id !== conversationId) return
        const { users } = useChat.getState()
        setText(t.announce(nameOf(users[message.sender_id]), oneLine(message.body)))
      }),
    [conversationId],
  )
  return (
    <div aria-live="polite" className="sr-only">
      {text}
    </div>
  )
}
