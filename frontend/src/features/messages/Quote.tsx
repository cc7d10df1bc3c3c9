import type { Message } from '@synctalk/client/contracts'
import { Icon } from '@/components/Icon'
import { useMessage, useUser } from '@/lib-react/chat'
import { nameOf } from '@/lib/chat/names'
import { excerptOrDeleted } from '@/lib/chat/excerpts'
import { texts } from '@/lib/text/texts'
import { useMessageActions } from './actions'
import { memo } from '@/lib-react/language'

const t = texts.messages

interface QuoteProps {
  conversationId: string
  messageId: string
}

/** One line above an answer: what it answers, and the way there. As high before it is loaded as afterwards. */
export const Quote = memo(function Quote({ conversationId, messageId }: QuoteProps) {
  const message = useMessage(conversationId, messageId)
  const { jumpTo } = useMessageActions()
  if (message === undefined) return <div className="h-6" aria-hidden="true" />
  return (
    <button
      type="button"
      data-quote
      title={t.toQuoted}
      onClick={() => jumpTo(message)}
      className="group/quote flex h-6 max-w-full items-center gap-1.5 rounded-control pe-1.5 text-meta text-text-muted hover:text-text pointer-coarse:h-8"
    >
      <Icon name="reply" size={14} className="shrink-0 text-text-faint" />
      <span className="sr-only">{t.inReplyTo}</span>
      <QuotedText message={message} />
    </button>
  )
})

/** Who wrote it, and its beginning. */
export function QuotedText({ message }: { message: Message }) {
  const sender = useUser(message.sender_id)
  const deleted = message.deleted_at !== null
  return (
    <span className="flex min-w-0 items-baseline gap-1.5">
      <bdi className="max-w-40 shrink-0 truncate font-semibold">{nameOf(sender)}</bdi>
      <bdi className={`truncate group-hover/quote:underline ${deleted ? 'italic' : ''}`}>
        {excerptOrDeleted(message)}
      </bdi>
    </span>
  )
}
