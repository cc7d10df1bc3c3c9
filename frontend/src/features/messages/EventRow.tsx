import type { Message } from '@synctalk/client/contracts'
import { isolated, Sentence } from '@/components/Sentence'
import { useMessage } from '@/lib-react/chat'
import { useSystemText } from '@/lib-react/system'
import { fullTime, timeOfDay } from '@/lib/text/format'
import { texts } from '@/lib/text/texts'
import { useMessageActions } from './actions'
import { memo } from '@/lib-react/language'

/** What happened in a group, in one quiet line between the messages. */
export const EventRow = memo(function EventRow({ message }: { message: Message }) {
  const text = useSystemText(message, isolated)
  const pinned = message.system?.type === 'pinned' ? message.system.message_id : null
  return (
    <div
      data-event={message.system?.type}
      className="flex items-baseline justify-center gap-2 px-3 py-1 text-center text-meta text-text-muted"
    >
      {typeof pinned === 'string' ? (
        <Leading conversationId={message.conversation_id} messageId={pinned} text={text} />
      ) : (
        <Sentence text={text} className="min-w-0 wrap-anywhere" />
      )}
      <time
        dateTime={message.created_at}
        title={fullTime(message.created_at)}
        className="figures shrink-0 text-small text-text-faint"
      >
        {timeOfDay(message.created_at)}
      </time>
    </div>
  )
})

interface LeadingProps {
  conversationId: string
  messageId: string
  text: string
}

/** Leads to the message that it is about. */
function Leading({ conversationId, messageId, text }: LeadingProps) {
  const target = useMessage(conversationId, messageId)
  const { jumpTo } = useMessageActions()
  const words = <Sentence text={text} className="min-w-0 wrap-anywhere" />
  if (target === undefined || target.deleted_at !== null) return words
  return (
    <button
      type="button"
      title={texts.messages.toQuoted}
      onClick={() => jumpTo(target)}
      className="min-w-0 rounded-control underline-offset-2 hover:text-text hover:underline"
    >
      {words}
    </button>
  )
}
