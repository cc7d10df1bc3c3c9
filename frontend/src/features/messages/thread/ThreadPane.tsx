import { Suspense, useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { useNavigate } from 'react-router'
import { Button, IconButton } from '@/components/Button'
import { Bone, Failed, Loading } from '@/components/States'
import { useChat, useClosed, useMe, useMessage, useThread } from '@/lib-react/chat'
import { nextIndex } from '@/lib-react/keys'
import { useNow, useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'
import { useFollowed, useReplySummary, useThreadState } from '@/lib-react/threads'
import type { Message } from '@synctalk/client/contracts'
import { mayNow } from '@synctalk/client/chat/closed'
import { outgoingTo, pathOf, repliesIn } from '@synctalk/client/chat/replies'
import type { Outgoing } from '@synctalk/client/chat/state'
import { lowestMarks, readSeqsOf, type Summary } from '@synctalk/client/chat/summaries'
import { CallError } from '@synctalk/client/errors'
import { dayInWords } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText, texts } from '@/lib/text/texts'
import ClosedComposer from '../ClosedComposer'
import { Composer } from '../Composer'
import { DropZone } from '../files/DropZone'
import { HistoryRow } from '../HistoryRow'
import { lastOfEachState } from '../marks'
import { MessageDoings } from '../MessageDoings'
import { Announcer } from '../overlays'
import { rowsOf } from '../rows'
import { TypingLine } from '../TypingLine'
import type { Jump } from '../useJump'
import { useLooking } from '../useReading'
import { useWriting } from '../useWriting'
import { useEnd } from './useEnd'
import { useReplies } from './useReplies'

const t = lazyTexts.threads
const NONE: readonly Outgoing[] = []
const NO_HEADS: ReadonlySet<number> = new Set()
const NOBODY: readonly number[] = []

interface PaneProps {
  summary: Summary
  threadId: string
  /** The reply that the address names. */
  at: Jump | null
  onClose: () => void
}

/** A message and the replies to it, beside its conversation. Mounted anew for each thread. */
export default function ThreadPane({ summary, threadId, at, onClose }: PaneProps) {
  const { id } = summary
  const { chat, typing } = useLive()
  const navigate = useNavigate()
  const writing = useWriting(id, threadId)
  const { editing } = writing
  const root = useMessage(id, threadId)
  const closed = useClosed(summary)
  useEffect(() => typing.stop, [typing])
  const [jump, setJump] = useState(at)
  const [followed, setFollowed] = useState(at)
  if (at !== followed) {
    setFollowed(at)
    setJump(at)
  }
  const onJump = useCallback(
    (seq: number) => {
      const message = chat.thread(id).messages.get(seq)
      if (message?.id === threadId || message?.thread_id === threadId) setJump({ seq, focus: true })
      else void navigate(message === undefined ? `/c/${id}?at=${String(seq)}` : pathOf(message))
    },
    [chat, id, threadId, navigate],
  )
  const known = useFollowed()
  return (
    <aside aria-label={t.title} className="flex h-full flex-col bg-bg">
      <header className="flex h-14 shrink-0 items-center justify-between gap-2 border-b border-border ps-4 pe-2">
        <h2 className="flex-1 text-title font-semibold">{t.title}</h2>
        {root !== undefined && known && <Follow root={root} />}
        <IconButton icon="close" label={t.close} onClick={onClose} />
      </header>
      <MessageDoings
        conversationId={id}
        threadId={threadId}
        closed={closed?.why ?? null}
        onReply={writing.onReply}
        onEdit={writing.onEdit}
        onTakeBack={writing.onTakeBack}
        onJump={onJump}
      >
        <DropZone place={writing.place} closed={closed !== null}>
          <Replies
            summary={summary}
            threadId={threadId}
            root={root}
            editingId={editing?.id ?? null}
            jump={jump}
            sentCount={writing.sentCount}
          />
          <TypingLine place={writing.place} />
          {closed !== null && (editing === null || !mayNow('edit', summary, closed.why)) ? (
            <ClosedComposer closed={closed} peerId={summary.peer?.id ?? null} />
          ) : (
            <Composer
              key={editing?.id ?? 'new'}
              conversationId={id}
              threadId={threadId}
              label={t.placeholder}
              editing={editing}
              replying={writing.replying}
              focusKey={null}
              onEditLast={(unwanted) => void writing.onEditLast(unwanted)}
              onEditEnd={writing.onEditEnd}
              onReplyEnd={writing.onReplyEnd}
              onSent={writing.onSent}
            />
          )}
        </DropZone>
      </MessageDoings>
    </aside>
  )
}

/** There is something to follow once there is a reply. */
function Follow({ root }: { root: Message }) {
  const { threads } = useLive()
  const toast = useToast()
  const summary = useReplySummary(root)
  const following = useThreadState(root.id)?.following === true
  const [busy, setBusy] = useState(false)
  if (summary === null) return null
  async function toggle(): Promise<void> {
    setBusy(true)
    try {
      await threads.follow(root, !following)
    } catch (error) {
      toast(failureText(error instanceof CallError ? error.code : 'other'))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Button busy={busy} onClick={() => void toggle()}>
      {following ? t.unfollow : t.follow}
    </Button>
  )
}

interface RepliesProps {
  summary: Summary
  threadId: string
  root: Message | undefined
  editingId: string | null
  jump: Jump | null
  sentCount: number
}

function Replies({ summary, threadId, root, editingId, jump, sentCount }: RepliesProps) {
  const { id } = summary
  const { threads } = useLive()
  const me = useMe()
  const now = useNow()
  const thread = useThread(id)
  const outgoing = useChat((state) => state.outgoing[id] ?? NONE)
  const state = useThreadState(threadId)
  const { from, busy, failure, older, retry } = useReplies(id, threadId, jump?.seq ?? null)
  const newFrom = useNewFrom(state, sentCount)
  const rows = useMemo(() => {
    const messages = repliesIn(thread.messages, threadId, from ?? Infinity)
    const seqs = [...messages.keys()]
    return rowsOf({
      thread: { messages, range: from === null ? null : { from: seqs[0] ?? 2, to: seqs.at(-1) ?? 1 } },
      outgoing: outgoingTo(outgoing, threadId),
      me,
      newFrom: newFrom === null ? null : Math.max(newFrom, seqs[0] ?? 0),
      atNewest: true,
      heads: NO_HEADS,
      threadId,
    })
  }, [thread.messages, outgoing, threadId, from, me, newFrom])
  const lastSeq = rows.reduce((seq, row) => (row.kind === 'message' ? row.message.seq : seq), 0)
  const lastOwn = rows.reduce(
    (seq, row) => (row.kind === 'message' && row.message.sender_id === me ? row.message.seq : seq),
    0,
  )
  const reached = useMemo(() => lowestMarks(thread, me), [thread, me])
  const readSeqs = useMemo(() => readSeqsOf(thread, me), [thread, me])
  // Who has read a thread is known to nobody else.
  const got = useMemo(() => ({ delivered: reached.delivered, read: 0 }), [reached.delivered])
  const marksShown = useMemo(() => lastOfEachState(rows, me, got), [rows, me, got])

  const scroller = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const atEnd = useEnd(scroller, content)
  const looking = useLooking()
  useEffect(() => {
    if (looking && atEnd && lastSeq > 0) threads.markRead(id, threadId, lastSeq)
  }, [threads, id, threadId, looking, atEnd, lastSeq, state])
  const answered = sentCount > 0
  useEffect(() => {
    if (answered && lastOwn > 0) threads.answered(id, threadId, lastOwn)
  }, [threads, id, threadId, answered, lastOwn])
  useEffect(() => {
    if (sentCount > 0) scroller.current?.scrollTo({ top: scroller.current.scrollHeight })
  }, [sentCount])
  const marked = useMarkedReply(scroller, jump, from !== null)

  const shared = { summary, me, editingId, marked }
  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        role="log"
        aria-live="off"
        aria-label={t.replies}
        tabIndex={0}
        onKeyDown={onRowKeys}
        className="h-full overflow-x-hidden overflow-y-auto overscroll-contain -outline-offset-2"
      >
        <div ref={content} className="py-3">
          {root !== undefined && (
            <div data-seq={root.seq}>
              <HistoryRow
                {...shared}
                reached={reached}
                readSeqs={readSeqs}
                marksShown={new Set([root.seq])}
                row={{ kind: 'message', key: 'root', message: root, first: true }}
              />
            </div>
          )}
          <div className="mx-3 my-2 border-t border-border" />
          {from !== null && from > 0 && (
            <div className="flex justify-center pb-2">
              <Button busy={busy} onClick={older}>
                {t.older}
              </Button>
            </div>
          )}
          {failure !== null && <Failed text={texts.messages.couldNotLoad} onRetry={retry} />}
          {from === null && failure === null && rows.length === 0 && (
            <Loading>
              <Bone className="mx-3 my-2 h-10" />
            </Loading>
          )}
          {rows.map((row) =>
            row.kind === 'day' ? (
              <p key={row.key} className="px-3 pt-3 pb-1 text-center text-small font-medium text-text-muted">
                {dayInWords(row.iso, now)}
              </p>
            ) : (
              <div key={row.key} data-seq={row.kind === 'message' ? row.message.seq : undefined}>
                <Suspense>
                  <HistoryRow {...shared} reached={got} readSeqs={NOBODY} marksShown={marksShown} row={row} />
                </Suspense>
              </div>
            ),
          )}
        </div>
      </div>
      <Announcer conversationId={id} threadId={threadId} />
    </div>
  )
}

/** The line "New" stands at the first reply that was unread when the thread was opened; an own reply takes it away. */
function useNewFrom(
  state: { following: boolean; unread_count: number; read_seq: number } | undefined,
  sentCount: number,
): number | null {
  const [begun, setBegun] = useState<{ newFrom: number | null } | null>(null)
  if (begun === null && state !== undefined)
    setBegun({ newFrom: state.unread_count > 0 ? state.read_seq + 1 : null })
  return sentCount > 0 ? null : (begun?.newFrom ?? null)
}

const MARKED_MS = 3_000

/** Lead to the reply of a jump, and mark it for a while. */
function useMarkedReply(
  scroller: React.RefObject<HTMLDivElement | null>,
  jump: Jump | null,
  loaded: boolean,
): number | null {
  const [passed, setPassed] = useState<Jump | null>(null)
  useEffect(() => {
    if (jump === null || !loaded) return
    const place = scroller.current?.querySelector<HTMLElement>(`[data-seq="${String(jump.seq)}"]`)
    place?.scrollIntoView({ block: 'center' })
    if (jump.focus) place?.querySelector<HTMLElement>('[role="article"]')?.focus({ preventScroll: true })
    const timer = setTimeout(() => setPassed(jump), MARKED_MS)
    return () => clearTimeout(timer)
  }, [scroller, jump, loaded])
  return jump === passed ? null : (jump?.seq ?? null)
}

/** The arrows lead from message to message. */
function onRowKeys(event: KeyboardEvent<HTMLDivElement>): void {
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('[role="article"]')]
  const focused = (event.target as HTMLElement).closest<HTMLElement>('[role="article"]')
  if (event.target !== event.currentTarget && focused === null) return
  const next = nextIndex(event, focused === null ? rows.length : rows.indexOf(focused), rows.length)
  if (next === null) return
  event.preventDefault()
  rows[next]?.focus()
}
