import type { Message } from '@synctalk/client/contracts'
import { useCopy } from '@/components/useCopy'
import { pathOf } from '@synctalk/client/chat/replies'
import { previewsOf } from '@synctalk/client/chat/previews'
import { fullTime } from '@/lib/text/format'
import { texts } from '@/lib/text/texts'
import { useMessageActions, type MessageActions } from './actions'
import { LinkPreviews } from './LinkPreviews'
import { FilesPlace } from './files/FilesPlace'
import { MessageBody } from './MessageBody'
import { Origin } from './Origin'
import { Quote } from './Quote'
import { Reactions } from './Reactions'
import type { Action } from './rowAction'
import { RowFrame, type Tint } from './RowFrame'
import { InThread, ThreadLine } from './ThreadLine'
import { SendingMark, type SendingMarkState } from './SendingMark'
import { memo } from '@/lib-react/language'

const t = texts.messages

interface MessageRowProps {
  message: Message
  first: boolean
  own: boolean
  /** Null for the others' messages. */
  mark: SendingMarkState | null
  /** Whether the mark is shown unasked. */
  markShown: boolean
  /** How many of a group have read it. */
  readers: number
  group: boolean
  /** Whether an answer, or a reply in its thread, can be sent. */
  mayAnswer: boolean
  mayEdit: boolean
  mayReact: boolean
  mayDelete: boolean
  mayPin: boolean
  /** Whether the earlier texts are shown to this user. */
  maySeeEdits: boolean
  /** Why it stands out, if it does. */
  tint: Tint
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, first, mark, markShown, readers, group, tint, mayReact, maySeeEdits } = props
  const copy = useCopy()
  const does = useMessageActions()
  const deleted = message.deleted_at !== null
  const streaming = message.streaming === true && !deleted
  const interrupted = message.interrupted === true
  const threadId = message.thread_id ?? null
  const inConversation = does.openThread !== null
  const previews = previewsOf(message)
  const who =
    group && mark !== 'sending'
      ? { conversationId: message.conversation_id, seq: message.seq, readers }
      : undefined
  return (
    <RowFrame
      senderId={message.sender_id}
      createdAt={message.created_at}
      first={first}
      mark={mark !== null && !deleted ? <SendingMark state={mark} {...(who && { who })} /> : undefined}
      markShown={markShown}
      actions={deleted ? [] : actionsFor(props, does, copy)}
      {...(mayReact && !deleted && { onReact: (emoji) => does.react(message, emoji) })}
      tint={tint}
    >
      {inConversation && threadId !== null && <InThread reply={message} threadId={threadId} />}
      {!deleted && <Origin message={message} />}
      {message.reply_to !== null && !deleted && (
        <Quote conversationId={message.conversation_id} messageId={message.reply_to} />
      )}
      {deleted ? (
        <p className="text-message text-text-faint italic">{t.deleted}</p>
      ) : (
        (message.body !== '' || message.edited_at !== null || streaming || interrupted) && (
          <MessageBody id={message.id} body={message.body} mentions={message.mentions}>
            {streaming && <span aria-hidden="true" data-caret className="caret" />}
            {interrupted && <span className="text-small text-text-faint"> ({t.interrupted})</span>}
            {message.edited_at !== null && (
              <Edited message={message} at={message.edited_at} maySee={maySeeEdits} />
            )}
          </MessageBody>
        )
      )}
      {!deleted && message.files !== undefined && <FilesPlace files={message.files} />}
      {previews.length > 0 && <LinkPreviews id={message.id} previews={previews} />}
      <Reactions message={message} mayReact={mayReact} />
      {inConversation && threadId === null && <ThreadLine root={message} />}
    </RowFrame>
  )
})

function Edited({ message, at, maySee }: { message: Message; at: string; maySee: boolean }) {
  const { showRevisions } = useMessageActions()
  const look = 'text-small text-text-faint'
  if (!maySee) {
    return (
      <span title={fullTime(at)} className={look}>
        {' '}
        ({t.edited})
      </span>
    )
  }
  return (
    <>
      {' '}
      <button
        type="button"
        aria-label={texts.revisions.show}
        title={fullTime(at)}
        onClick={() => showRevisions(message)}
        className={`${look} rounded-[4px] underline-offset-2 hover:underline`}
      >
        ({t.edited})
      </button>
    </>
  )
}

function actionsFor(
  { message, own, mayAnswer, mayEdit, mayDelete, mayPin, maySeeEdits }: MessageRowProps,
  does: MessageActions,
  copy: (text: string) => void,
): Action[] {
  const link = `${window.location.origin}${pathOf(message)}`
  const actions: Action[] = []
  const { openThread } = does
  if (mayAnswer) actions.push({ icon: 'reply', label: t.reply, key: 'r', run: () => does.reply(message) })
  if (mayAnswer && openThread !== null)
    actions.push({ icon: 'thread', label: texts.threads.reply, key: 't', run: () => openThread(message) })
  if (mayEdit) actions.push({ icon: 'pencil', label: t.edit, key: 'e', run: () => does.edit(message) })
  if (message.body !== '')
    actions.push({ icon: 'copy', label: t.copy, key: 'c', run: () => copy(message.body) })
  actions.push(
    { icon: 'forward', label: texts.forward.action, key: 'f', run: () => does.forward(message) },
    { icon: 'link', label: t.copyLink, key: 'l', more: true, run: () => copy(link) },
  )
  if (!own) actions.push({ icon: 'flag', label: texts.messages.report, run: () => does.report(message) })
  if (mayDelete) actions.push({ icon: 'trash', label: t.delete, run: () => does.remove(message) })
  const pinned = message.pinned_at != null
  if (mayPin)
    actions.push({
      icon: 'pin',
      label: pinned ? texts.pins.unpin : texts.pins.pin,
      key: 'p',
      more: true,
      run: () => does.pin(message, !pinned),
    })
  if (maySeeEdits && message.edited_at !== null)
    actions.push({
      icon: 'history',
      label: texts.revisions.action,
      more: true,
      run: () => does.showRevisions(message),
    })
  actions.push({
    icon: 'unread',
    label: texts.conversations.markUnread,
    key: 'u',
    more: true,
    run: does.markUnread,
  })
  return actions
}
