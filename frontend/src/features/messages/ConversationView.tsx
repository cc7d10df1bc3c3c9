import { Suspense, useCallback, useEffect, useMemo, useState } from 'react'
import type { File as StoredFile, Message } from '@/contracts'
import { useNow, useToast } from '@/lib-react/page'
import { useBlocked, useMessage, useReplyTo, useThread } from '@/lib-react/chat'
import { closedBecause } from '@/lib/chat/closed'
import { useNavigate } from 'react-router'
import { titleOf } from '@/lib/chat/names'
import { hasReacted } from '@/lib/chat/reactions'
import { may } from '@/lib/chat/rights'
import type { Outgoing } from '@/lib/chat/state'
import type { Summary } from '@/lib/chat/summaries'
import { CallError, hasCode } from '@/lib/errors'
import { failureText, texts } from '@/lib/text/texts'
import { lazily } from '@/lib-react/lazily'
import { useLive } from '@/lib-react/session'
import type { ChatStore } from '@/lib/chat/store'
import { MessageActionsContext, type MessageActions } from './actions'
import { Composer } from './Composer'
import { DropZone } from './files/DropZone'
import { History } from './History'
import { PutAwayContext } from './LinkPreviews'
import { OpenedContext } from './MessageBody'
import { TypingLine } from './TypingLine'
import type { Jump } from './useJump'

const ClosedComposer = lazily(() => import('./ClosedComposer'))
const SlowMode = lazily(() => import('./SlowMode'))
const ReportMessage = lazily(() => import('./ReportMessage'))
const Lightbox = lazily(() => import('./files/Lightbox'))
const ForwardDialog = lazily(() => import('./ForwardDialog'))
const Revisions = lazily(() => import('./Revisions'))
const DateDialog = lazily(() => import('./DateDialog'))
const WhoReacted = lazily(() => import('./WhoReacted'))
const Confirm = lazily(() => import('@/components/Dialog').then((m) => ({ default: m.Confirm })))

interface ViewProps {
  summary: Summary
  focusKey: string | null
  /** The message that the address names; each time that it is followed, another object. */
  at: Jump | null
}

/** The messages of a conversation, and the composer. Mounted anew for each conversation. */
export function ConversationView({ summary, focusKey, at }: ViewProps) {
  const toast = useToast()
  const { id } = summary
  const { chat, conversations, drafts, messages, outbox, typing, uploads } = useLive()
  const navigate = useNavigate()
  const [opened] = useState(() => new Set<string>())
  const [putAway] = useState(() => new Set<string>())
  const [sentCount, setSentCount] = useState(0)
  const [editing, setEditing] = useState<Message | null>(null)
  const [deleting, setDeleting] = useState<Message | null>(null)
  const [reporting, setReporting] = useState<Message | null>(null)
  const [reactionsOf, setReactionsOf] = useState<Message | null>(null)
  const [forwarding, setForwarding] = useState<Message | null>(null)
  const [revisionsOf, setRevisionsOf] = useState<Message | null>(null)
  const [dateFrom, setDateFrom] = useState<string | null>(null)
  const [pictures, setPictures] = useState<{ all: readonly StoredFile[]; index: number } | null>(null)
  const [jump, setJump] = useState(at)
  const [followed, setFollowed] = useState(at)
  if (at !== followed) {
    setFollowed(at)
    setJump(at)
  }
  const replying = useMessage(id, useReplyTo(id)) ?? null
  const blocked = useBlocked(summary.peer?.id ?? null)
  const closed = closedBecause(summary, blocked, useNow())
  useMarks(id)
  useEffect(() => typing.stop, [typing])

  const onSent = useCallback(() => setSentCount((count) => count + 1), [])
  const onEditEnd = useCallback(() => setEditing(null), [])
  const onTakeBack = useCallback(
    (item: Outgoing) => {
      if (!outbox.takeBack(item)) return
      if (item.forward !== null) return
      setEditing(null)
      if (item.body !== '') drafts.prepend(item.conversation_id, item.body)
      uploads.putBack(item.conversation_id, item.files)
      if (item.reply_to !== null) drafts.setReply(item.conversation_id, item.reply_to)
    },
    [drafts, outbox, uploads],
  )
  const onEditLast = useCallback(
    async (unwanted: () => boolean) => {
      let last = lastOutgoing(chat, id)
      if (last?.sending.state === 'sending') {
        await outbox.settled(last)
        if (unwanted()) return
        last = lastOutgoing(chat, id)
      }
      if (last === undefined) setEditing(lastOwn(chat, id))
      else onTakeBack(last)
    },
    [id, chat, outbox, onTakeBack],
  )

  const failed = useCallback(
    (error: unknown) => toast(failureText(error instanceof CallError ? error.code : 'other')),
    [toast],
  )
  const actions: MessageActions = useMemo(
    () => ({
      reply: (message) => {
        setEditing(null)
        drafts.setReply(id, message.id)
      },
      edit: setEditing,
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
      jumpTo: ({ seq }) => setJump({ seq, focus: true }),
    }),
    [id, chat, conversations, drafts, messages, navigate, onTakeBack, failed, toast],
  )
  const onReplyEnd = useCallback(() => drafts.setReply(id, null), [id, drafts])

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
        <DropZone conversationId={id} closed={closed !== null}>
          <PutAwayContext value={putAway}>
            <History summary={summary} sentCount={sentCount} editingId={editing?.id ?? null} jump={jump} />
          </PutAwayContext>
          <TypingLine conversationId={id} />
          {summary.slowModeS > 0 && closed === null && !may('sendAtOnce', summary) && (
            <Suspense>
              <SlowMode summary={summary} />
            </Suspense>
          )}
          {closed !== null && editing === null ? (
            <Suspense>
              <ClosedComposer closed={closed} peerId={summary.peer?.id ?? null} />
            </Suspense>
          ) : (
            <Composer
              key={editing?.id ?? 'new'}
              conversationId={id}
              name={titleOf(summary)}
              editing={editing}
              replying={editing === null ? replying : null}
              focusKey={focusKey}
              onEditLast={(unwanted) => void onEditLast(unwanted)}
              onEditEnd={onEditEnd}
              onReplyEnd={onReplyEnd}
              onSent={onSent}
            />
          )}
        </DropZone>
        {pictures !== null && (
          <Suspense>
            <Lightbox pictures={pictures.all} start={pictures.index} onClose={() => setPictures(null)} />
          </Suspense>
        )}
        {reactionsOf !== null && (
          <Suspense>
            <WhoReacted conversationId={id} messageId={reactionsOf.id} onClose={() => setReactionsOf(null)} />
          </Suspense>
        )}
        {reporting !== null && (
          <Suspense>
            <ReportMessage message={reporting} onClose={() => setReporting(null)} />
          </Suspense>
        )}
        {forwarding !== null && (
          <Suspense>
            <ForwardDialog message={forwarding} onClose={() => setForwarding(null)} />
          </Suspense>
        )}
        {revisionsOf !== null && (
          <Suspense>
            <Revisions message={revisionsOf} onClose={() => setRevisionsOf(null)} />
          </Suspense>
        )}
        {dateFrom !== null && (
          <Suspense>
            <DateDialog
              conversationId={id}
              iso={dateFrom}
              onFound={(seq) => setJump({ seq, focus: true })}
              onClose={() => setDateFrom(null)}
            />
          </Suspense>
        )}
        {deleting !== null && (
          <Suspense>
            <Confirm
              question={texts.messages.deleteQuestion}
              action={texts.messages.delete}
              onConfirm={() => void remove(deleting)}
              onClose={() => setDeleting(null)}
            />
          </Suspense>
        )}
      </OpenedContext>
    </MessageActionsContext>
  )
}

/** The others' marks come with the members; without them every own message would only look sent. */
function useMarks(id: string): void {
  const { loader } = useLive()
  const { membersLoaded, marksMissed, marksReadAt } = useThread(id)
  useEffect(() => {
    // A failure costs only the marks; the details pane shows and repeats it.
    if (!membersLoaded || marksReadAt < marksMissed) loader.loadMembers(id).catch(() => undefined)
  }, [loader, id, membersLoaded, marksMissed, marksReadAt])
}

const lastOutgoing = (chat: ChatStore, id: string): Outgoing | undefined => chat.current.outgoing[id]?.at(-1)

function lastOwn(chat: ChatStore, id: string): Message | null {
  const { messages, range } = chat.thread(id)
  for (let seq = range?.to ?? 0; seq >= (range?.from ?? 1); seq -= 1) {
    const message = messages.get(seq)
    if (message?.sender_id === chat.me && message.deleted_at === null && message.system == null)
      return message
  }
  return null
}
