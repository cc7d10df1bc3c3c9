import { memo, type ReactNode } from 'react'
import type { Message } from '@/contracts'
import { Avatar } from '@/components/Avatar'
import { IconButton } from '@/components/Button'
import { toast } from '@/components/Toasts'
import { nameOf } from '@/lib/chat/names'
import type { Outgoing } from '@/lib/chat/state'
import { usePerson } from '@/lib/live/freshness'
import { discard, retry } from '@/lib/live/outbox'
import { fullTime, timeOfDay } from '@/lib/text/format'
import { texts } from '@/lib/text/texts'
import { MessageText } from './MessageText'
import { SendingMark, type SendingMarkState } from './SendingMark'

const t = texts.messages

interface FrameProps {
  senderId: string
  createdAt: string
  first: boolean
  mark?: ReactNode
  actions?: ReactNode
  children: ReactNode
}

/** Sender and time once per group; later lines show their time on hover, in the gutter. */
function Frame({ senderId, createdAt, first, mark, actions, children }: FrameProps) {
  const sender = usePerson(senderId)
  return (
    <div
      role="article"
      aria-label={`${nameOf(sender)}, ${timeOfDay(createdAt)}`}
      tabIndex={-1}
      className={`group relative flex gap-3 rounded-control px-3 -outline-offset-2 hover:bg-bg-raised focus-within:bg-bg-raised ${first ? 'pt-2 pb-0.5' : 'py-0.5'}`}
    >
      <div className="w-10 shrink-0">
        {first ? (
          <Avatar id={senderId} name={nameOf(sender)} url={sender?.avatar_url ?? null} size={40} />
        ) : (
          <time
            dateTime={createdAt}
            title={fullTime(createdAt)}
            className="figures block text-end text-[11px] leading-[22px] whitespace-nowrap text-text-faint opacity-0 group-focus-within:opacity-100 group-hover:opacity-100"
          >
            {timeOfDay(createdAt)}
          </time>
        )}
      </div>
      <div className="min-w-0 flex-1">
        {first && (
          <p className="flex items-center gap-2 leading-5">
            <span className="truncate font-semibold">{nameOf(sender)}</span>
            <time
              dateTime={createdAt}
              title={fullTime(createdAt)}
              className="figures shrink-0 text-small text-text-faint"
            >
              {timeOfDay(createdAt)}
            </time>
            {mark}
          </p>
        )}
        {children}
      </div>
      <div className="flex w-5 shrink-0 items-start justify-end pt-[3px]">{!first && mark}</div>
      {actions !== undefined && (
        <div className="absolute -top-4 end-8 z-10 hidden rounded-control border border-border bg-bg-float group-focus-within:flex group-hover:flex">
          {actions}
        </div>
      )}
    </div>
  )
}

interface MessageRowProps {
  message: Message
  first: boolean
  own: boolean
  /** Null for the others' messages. */
  mark: SendingMarkState | null
  group: boolean
  mayDelete: boolean
  onEdit: (message: Message) => void
  onDelete: (message: Message) => void
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, first, mark, group, own, mayDelete, onEdit, onDelete } = props
  const deleted = message.deleted_at !== null
  const who =
    group && mark !== 'sending' ? { conversationId: message.conversation_id, seq: message.seq } : undefined
  return (
    <Frame
      senderId={message.sender_id}
      createdAt={message.created_at}
      first={first}
      mark={mark !== null && !deleted ? <SendingMark state={mark} {...(who && { who })} /> : undefined}
      {...(!deleted && {
        actions: (
          <div role="group" aria-label={t.actions} className="flex">
            <IconButton
              icon="copy"
              size={16}
              label={t.copy}
              className="size-8!"
              onClick={() => copy(message.body)}
            />
            {own && (
              <IconButton
                icon="pencil"
                size={16}
                label={t.edit}
                className="size-8!"
                onClick={() => onEdit(message)}
              />
            )}
            {mayDelete && (
              <IconButton
                icon="trash"
                size={16}
                label={t.delete}
                className="size-8!"
                onClick={() => onDelete(message)}
              />
            )}
          </div>
        ),
      })}
    >
      {deleted ? (
        <p className="text-message text-text-faint italic">{t.deleted}</p>
      ) : (
        <>
          <MessageText body={message.body} />
          {message.edited_at !== null && (
            <span title={fullTime(message.edited_at)} className="text-small text-text-faint">
              ({t.edited})
            </span>
          )}
        </>
      )}
    </Frame>
  )
})

function copy(body: string): void {
  navigator.clipboard.writeText(body).then(
    () => toast(t.copied),
    () => toast(texts.somethingWrong),
  )
}

interface OutgoingRowProps {
  item: Outgoing
  first: boolean
  me: string
}

/** An own message on its way; a failed one says why, and can be sent again or let go. */
export const OutgoingRow = memo(function OutgoingRow({ item, first, me }: OutgoingRowProps) {
  const { sending } = item
  const failed = sending.state === 'failed'
  return (
    <Frame
      senderId={me}
      createdAt={item.created_at}
      first={first}
      mark={<SendingMark state={failed ? 'failed' : 'sending'} />}
    >
      <div className={failed ? '' : 'opacity-75'}>
        <MessageText body={item.body} />
      </div>
      {failed && (
        <p className="mt-0.5 flex flex-wrap items-center gap-x-3 text-meta text-danger">
          <span>
            {t.failed}. {t.failures[sending.reason] ?? t.failures.other}
          </span>
          <button
            type="button"
            className="rounded-control font-semibold underline-offset-2 hover:underline pointer-coarse:min-h-11"
            onClick={() => void retry(item)}
          >
            {t.retry}
          </button>
          <button
            type="button"
            className="rounded-control text-text-muted underline-offset-2 hover:underline pointer-coarse:min-h-11"
            onClick={() => void discard(item)}
          >
            {t.discard}
          </button>
        </p>
      )}
    </Frame>
  )
})
