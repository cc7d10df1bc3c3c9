import { memo } from 'react'
import type { Message } from '@/contracts'
import { useCopy } from '@/components/useCopy'
import { fullTime } from '@/lib/text/format'
import { texts } from '@/lib/text/texts'
import { MessageBody } from './MessageBody'
import { RowFrame, type Action } from './RowFrame'
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
  editing: boolean
  onEdit: (message: Message) => void
  onDelete: (message: Message) => void
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, first, mark, group, editing } = props
  const copy = useCopy()
  const deleted = message.deleted_at !== null
  const who =
    group && mark !== 'sending' ? { conversationId: message.conversation_id, seq: message.seq } : undefined
  return (
    <RowFrame
      senderId={message.sender_id}
      createdAt={message.created_at}
      first={first}
      mark={mark !== null && !deleted ? <SendingMark state={mark} {...(who && { who })} /> : undefined}
      actions={deleted ? [] : actionsFor(props, copy)}
      editing={editing}
    >
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
    </RowFrame>
  )
})

function actionsFor(
  { message, own, mayDelete, onEdit, onDelete }: MessageRowProps,
  copy: (text: string) => void,
): Action[] {
  const actions: Action[] = [{ icon: 'copy', label: t.copy, run: () => copy(message.body) }]
  if (own) actions.push({ icon: 'pencil', label: t.edit, run: () => onEdit(message) })
  if (mayDelete) actions.push({ icon: 'trash', label: t.delete, run: () => onDelete(message) })
  return actions
}
