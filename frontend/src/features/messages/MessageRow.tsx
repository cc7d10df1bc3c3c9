import { memo } from 'react'
import type { Message } from '@/contracts'
import { useCopy } from '@/components/useCopy'
import { previewsOf } from '@/lib/chat/previews'
import { fullTime } from '@/lib/text/format'
import { texts } from '@/lib/text/texts'
import { useMessageActions, type MessageActions } from './actions'
import { LinkPreviews } from './LinkPreviews'
import { MessageBody } from './MessageBody'
import { Quote } from './Quote'
import { Reactions } from './Reactions'
import { RowFrame, type Action, type Tint } from './RowFrame'
import { SendingMark, type SendingMarkState } from './SendingMark'

const t = texts.messages

interface MessageRowProps {
  message: Message
  first: boolean
  own: boolean
  /** Null for the others' messages. */
  mark: SendingMarkState | null
  group: boolean
  mayDelete: boolean
  /** Why it stands out, if it does. */
  tint: Tint
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, first, mark, group, tint } = props
  const copy = useCopy()
  const does = useMessageActions()
  const deleted = message.deleted_at !== null
  const previews = previewsOf(message)
  const who =
    group && mark !== 'sending' ? { conversationId: message.conversation_id, seq: message.seq } : undefined
  return (
    <RowFrame
      senderId={message.sender_id}
      createdAt={message.created_at}
      first={first}
      mark={mark !== null && !deleted ? <SendingMark state={mark} {...(who && { who })} /> : undefined}
      actions={deleted ? [] : actionsFor(props, does, copy)}
      {...(!deleted && { onReact: (emoji) => does.react(message, emoji) })}
      tint={tint}
    >
      {message.reply_to !== null && !deleted && (
        <Quote conversationId={message.conversation_id} messageId={message.reply_to} />
      )}
      {deleted ? (
        <p className="text-message text-text-faint italic">{t.deleted}</p>
      ) : (
        <MessageBody id={message.id} body={message.body} mentions={message.mentions}>
          {message.edited_at !== null && (
            <span title={fullTime(message.edited_at)} className="text-small text-text-faint">
              {' '}
              ({t.edited})
            </span>
          )}
        </MessageBody>
      )}
      {previews.length > 0 && <LinkPreviews id={message.id} previews={previews} />}
      <Reactions message={message} />
    </RowFrame>
  )
})

function actionsFor(
  { message, own, mayDelete }: MessageRowProps,
  does: MessageActions,
  copy: (text: string) => void,
): Action[] {
  const link = `${window.location.origin}/c/${message.conversation_id}?at=${String(message.seq)}`
  const actions: Action[] = [{ icon: 'reply', label: t.reply, key: 'r', run: () => does.reply(message) }]
  if (own) actions.push({ icon: 'pencil', label: t.edit, key: 'e', run: () => does.edit(message) })
  actions.push(
    { icon: 'copy', label: t.copy, key: 'c', run: () => copy(message.body) },
    { icon: 'link', label: t.copyLink, key: 'l', run: () => copy(link) },
  )
  if (!own) actions.push({ icon: 'flag', label: texts.messages.report, run: () => does.report(message) })
  if (mayDelete) actions.push({ icon: 'trash', label: t.delete, run: () => does.remove(message) })
  return actions
}
