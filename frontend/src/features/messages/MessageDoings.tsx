import { Suspense, useCallback, useMemo, useState, type ReactNode } from 'react'
import { useNavigate } from 'react-router'
import type { File as StoredFile, Message } from '@synctalk/client/contracts'
import { lazilyAsking } from '@/lib-react/asking'
import { lazily } from '@/lib-react/lazily'
import { useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'
import type { Closed } from '@synctalk/client/chat/closed'
import { hasReacted } from '@synctalk/client/chat/reactions'
import { threadPath } from '@synctalk/client/chat/replies'
import type { Outgoing } from '@synctalk/client/chat/state'
import { CallError, hasCode } from '@synctalk/client/errors'
import { failureText, texts } from '@/lib/text/texts'
import { ClosedContext, MessageActionsContext, type MessageActions } from './actions'
import { PutAwayContext } from './LinkPreviews'
import { OpenedContext } from './MessageBody'
import { QuotedText } from './Quote'

const ReportMessage = lazily(() => import('./ReportMessage'))
const Lightbox = lazily(() => import('./files/Lightbox'))
const ForwardDialog = lazily(() => import('./ForwardDialog'))
const Revisions = lazilyAsking(() => import('./Revisions'))
const DateDialog = lazily(() => import('./DateDialog'))
const WhoReacted = lazily(() => import('./WhoReacted'))
const Confirm = lazily(() => import('@/components/Dialog').then((m) => ({ default: m.Confirm })))

interface DoingsProps {
  conversationId: string
  /** The thread whose messages they are; null: the conversation's. */
  threadId: string | null
  /** Why nothing can be sent; null: something can. */
  closed: Closed['why'] | null
  onReply: (message: Message) => void
  onEdit: (message: Message) => void
  onTakeBack: (item: Outgoing) => void
  /** Go to a message, by its number. */
  onJump: (seq: number) => void
  children: ReactNode
}

/** What can be done with the messages within, and the dialogs that it takes. */
export function MessageDoings(props: DoingsProps) {
  const { conversationId: id, threadId, closed, onReply, onEdit, onTakeBack, onJump, children } = props
  const toast = useToast()
  const { chat, conversations, messages } = useLive()
  const navigate = useNavigate()
  const [opened] = useState(() => new Set<string>())
  const [putAway] = useState(() => new Set<string>())
  const [deleting, setDeleting] = useState<Message | null>(null)
  const [reporting, setReporting] = useState<Message | null>(null)
  const [reactionsOf, setReactionsOf] = useState<Message | null>(null)
  const [forwarding, setForwarding] = useState<Message | null>(null)
  const [revisionsOf, setRevisionsOf] = useState<Message | null>(null)
  const [dateFrom, setDateFrom] = useState<string | null>(null)
  const [pictures, setPictures] = useState<{ all: readonly StoredFile[]; index: number } | null>(null)

  const failed = useCallback(
    (error: unknown) => toast(failureText(error instanceof CallError ? error.code : 'other')),
    [toast],
  )
  const actions: MessageActions = useMemo(
    () => ({
      reply: onReply,
      openThread:
        threadId === null
          ? (message) => void navigate(threadPath(id, message.thread_id ?? message.id))
          : null,
      edit: onEdit,
      remove: setDeleting,
      report: setReporting,
      takeBack: onTakeBack,
      react: (message, emoji) => {
        const on = !hasReacted(message, emoji, chat.me)
        messages.react(message, emoji, on).catch(failed)
      },
      showReactions: setReactionsOf,
      showPicture: (all, index) => setPictures({ all, index }),
      pin: (message, on) => {
        messages.pin(message, on).catch((error: unknown) => {
          if (hasCode(error, 'conflict')) toast(texts.pins.tooMany)
          else failed(error)
        })
      },
      forward: setForwarding,
      showRevisions: setRevisionsOf,
      markUnread: () => {
        // Away from it first: what is in view is read.
        void navigate('/')
        conversations.setOwnState(id, { unread: true }).catch(failed)
      },
      chooseDate: setDateFrom,
      jumpTo: ({ seq }) => onJump(seq),
    }),
    [
      id,
      threadId,
      chat,
      conversations,
      messages,
      navigate,
      onReply,
      onEdit,
      onTakeBack,
      onJump,
      failed,
      toast,
    ],
  )

  async function remove(message: Message): Promise<void> {
    try {
      await messages.delete(message)
    } catch (error) {
      failed(error)
    }
  }

  return (
    <MessageActionsContext value={actions}>
      <OpenedContext value={opened}>
        <PutAwayContext value={putAway}>
          <ClosedContext value={closed}>{children}</ClosedContext>
        </PutAwayContext>
        <Suspense>
          {pictures !== null && (
            <Lightbox pictures={pictures.all} start={pictures.index} onClose={() => setPictures(null)} />
          )}
          {reactionsOf !== null && (
            <WhoReacted conversationId={id} messageId={reactionsOf.id} onClose={() => setReactionsOf(null)} />
          )}
          {reporting !== null && <ReportMessage message={reporting} onClose={() => setReporting(null)} />}
          {forwarding !== null && <ForwardDialog message={forwarding} onClose={() => setForwarding(null)} />}
          {revisionsOf !== null && <Revisions message={revisionsOf} onClose={() => setRevisionsOf(null)} />}
          {dateFrom !== null && (
            <DateDialog
              conversationId={id}
              iso={dateFrom}
              onFound={onJump}
              onClose={() => setDateFrom(null)}
            />
          )}
          {deleting !== null && (
            <Confirm
              question={texts.messages.deleteQuestion}
              action={texts.messages.delete}
              onConfirm={() => void remove(deleting)}
              onClose={() => setDeleting(null)}
            >
              <QuotedText message={deleting} />
            </Confirm>
          )}
        </Suspense>
      </OpenedContext>
    </MessageActionsContext>
  )
}
