import { useVirtualizer } from '@tanstack/react-virtual'
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import type { Message } from '@/contracts'
import { Bone, Failed, Loading } from '@/components/States'
import { useChat, useMe, useThread } from '@/lib/chat/store'
import { lowestMarks, type Summary } from '@/lib/chat/summaries'
import { nextIndex } from '@/lib/keys'
import type { Outgoing } from '@/lib/chat/state'
import { useConnection } from '@/lib/socket'
import { texts } from '@/lib/text/texts'
import { HistoryRow } from './HistoryRow'
import { Announcer, FloatingDay, JumpButtons, OlderLoading } from './overlays'
import { dayAt, estimateHeight, rowsOf, seqUpTo, type Row } from './rows'
import { usePages } from './usePages'
import { useLooking, useReading } from './useReading'

const NONE: readonly Outgoing[] = []
/** So many rows before an end is reached the next page is asked for. */
const AHEAD_ROWS = 12
const AT_END_PX = 48

interface HistoryProps {
  summary: Summary
  /** Counts the messages sent from here: each brings the view to the newest. */
  sentCount: number
  onEdit: (message: Message) => void
  onDelete: (message: Message) => void
}

/** The messages of a conversation. Mounted anew for each conversation. */
export function History({ summary, sentCount, onEdit, onDelete }: HistoryProps) {
  const { id } = summary
  const me = useMe()
  const thread = useThread(id)
  const outgoing = useChat((state) => state.outgoing[id] ?? NONE)
  const looking = useLooking()
  const newFrom = useNewLine(summary, looking, sentCount)
  const anchor = useRef<number | null>(null)
  const anchorSeq = useCallback(() => anchor.current, [])
  const pages = usePages(id, newFrom, anchorSeq)
  // While there is no connection that alone is said, and what is missing comes with the next one.
  const failed = useConnection((state) => state.state === 'live') && pages.failure !== null
  const { range } = thread
  const atNewest = range !== null && range.to >= summary.lastSeq

  const rows = useMemo(
    () => rowsOf({ thread, outgoing, me, newFrom, atNewest }),
    // Only these parts of the thread are shown as rows.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [thread.messages, thread.range, outgoing, me, newFrom, atNewest],
  )
  const marks = useMemo(() => lowestMarks(thread, me), [thread, me])

  const scroller = useRef<HTMLDivElement>(null)
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => {
      const row = rows[index]
      return row === undefined ? 40 : estimateHeight(row)
    },
    getItemKey: (index) => rows[index]?.key ?? index,
    anchorTo: 'end',
    followOnAppend: true,
    scrollEndThreshold: AT_END_PX,
    overscan: 8,
    paddingStart: 8,
    paddingEnd: 12,
    directDomUpdates: true,
    useFlushSync: false,
  })

  const placed = usePlacement(list, rows, range !== null)
  const items = list.getVirtualItems()
  const view = viewOf(list, scroller.current)
  const atEnd = list.isAtEnd(AT_END_PX)
  const seenUpTo = placed ? (atEnd && atNewest ? (range?.to ?? null) : seqUpTo(rows, view.last)) : null
  useReading(id, looking, seenUpTo)
  useEffect(() => {
    anchor.current = atEnd && atNewest ? null : seqUpTo(rows, view.first)
  })

  const { busy, failure, older, newer, newest } = pages
  const firstItem = items[0]?.index ?? 0
  const lastItem = items.at(-1)?.index ?? 0
  useEffect(() => {
    // A failed page is asked for again by hand only.
    if (!placed || range === null || busy !== null || failure !== null) return
    if (firstItem < AHEAD_ROWS && range.from > 1) older()
    else if (!atNewest && lastItem > rows.length - AHEAD_ROWS) newer()
  }, [placed, range, busy, failure, firstItem, lastItem, rows.length, atNewest, older, newer])

  const toNewest = useCallback(() => {
    if (atNewest) list.scrollToEnd()
    else void newest().then(() => list.scrollToEnd())
  }, [atNewest, list, newest])
  useEffect(() => {
    if (sentCount > 0) toNewest()
    // Sending is what moves the view, not that it could be moved otherwise by now.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [sentCount])

  const newRow = newFrom === null ? -1 : rows.findIndex((row) => row.kind === 'new')
  const newAbove = newRow >= 0 && newRow < view.first
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const focused = (event.target as HTMLElement).closest<HTMLElement>('[data-index]')
    const at = focused === null ? view.last + 1 : Number(focused.dataset.index)
    const inList = event.target === event.currentTarget || focused !== null
    const wanted = inList ? nextIndex(event, at, rows.length) : null
    const next = wanted === null ? null : nearestMessage(rows, wanted, wanted < at ? -1 : 1)
    if (next === null) return
    event.preventDefault()
    list.scrollToIndex(next, { align: 'auto' })
    // A row that was out of sight exists only after the next frame.
    requestAnimationFrame(() =>
      scroller.current
        ?.querySelector<HTMLElement>(`[data-index="${String(next)}"] [role="article"]`)
        ?.focus({ preventScroll: true }),
    )
  }

  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        role="log"
        // Old messages come and go as one scrolls; what is new is announced by the announcer.
        aria-live="off"
        aria-label={texts.messages.history}
        tabIndex={0}
        onKeyDown={onKeyDown}
        className="flex h-full flex-col overflow-x-hidden overflow-y-auto overscroll-contain -outline-offset-2 [overflow-anchor:none]"
      >
        <div
          ref={list.containerRef}
          className={`relative mx-auto mt-auto w-full max-w-[860px] shrink-0 ${placed || range === null ? '' : 'opacity-0'}`}
        >
          {items.map((item) => {
            const row = rows[item.index]
            if (row === undefined) return null
            return (
              <div
                key={item.key}
                data-index={item.index}
                ref={list.measureElement}
                className="absolute inset-x-0 top-0 sm:px-2"
              >
                <HistoryRow
                  row={row}
                  summary={summary}
                  me={me}
                  delivered={marks.delivered}
                  read={marks.read}
                  onEdit={onEdit}
                  onDelete={onDelete}
                />
              </div>
            )
          })}
        </div>
      </div>
      {rows.length === 0 && !failed && (
        <div className="absolute inset-x-0 bottom-0 overflow-hidden">
          <Loading>
            <Skeleton />
          </Loading>
        </div>
      )}
      {failed && (
        <div
          className={
            rows.length === 0
              ? 'absolute inset-0 flex items-center justify-center'
              : 'absolute inset-x-0 top-0 flex justify-center'
          }
        >
          <div className="rounded-card bg-bg">
            <Failed text={texts.messages.couldNotLoad} onRetry={pages.retry} />
          </div>
        </div>
      )}
      {busy === 'older' && view.first <= 1 && <OlderLoading />}
      {placed && rows[view.first]?.kind !== 'day' && rows[view.first]?.kind !== 'start' && (
        <FloatingDay iso={dayAt(rows, view.first)} />
      )}
      <JumpButtons
        newAbove={newAbove ? countFrom(thread.messages, newFrom, range?.to ?? 0, me) : 0}
        below={!placed || (atEnd && atNewest) ? null : summary.unread}
        onUp={() => list.scrollToIndex(newRow, { align: 'start' })}
        onDown={toNewest}
      />
      <Announcer conversationId={id} />
    </div>
  )
}

/** From `index` on, the first row that is a message; separators are passed over. */
function nearestMessage(rows: readonly Row[], index: number, step: 1 | -1): number | null {
  for (let at = index; at >= 0 && at < rows.length; at += step) {
    const kind = rows[at]?.kind
    if (kind === 'message' || kind === 'outgoing') return at
  }
  return null
}

type List = ReturnType<typeof useVirtualizer<HTMLDivElement, Element>>

/** The first and the last row that are in view. */
function viewOf(list: List, scroller: HTMLDivElement | null): { first: number; last: number } {
  const top = list.scrollOffset ?? 0
  const bottom = top + (scroller?.clientHeight ?? 0)
  let first = -1
  let last = -1
  for (const { index, start, end } of list.getVirtualItems()) {
    if (end <= top + 4 || start >= bottom - 8) continue
    if (first === -1) first = index
    last = index
  }
  return { first, last }
}

/** Where the view begins: at the line of what is new, else at the newest message. Nothing is shown before it is there. */
function usePlacement(list: List, rows: readonly Row[], loaded: boolean): boolean {
  const [placed, setPlaced] = useState(false)
  useLayoutEffect(() => {
    if (placed || !loaded) return
    const line = rows.findIndex((row) => row.kind === 'new')
    if (line >= 0) list.scrollToIndex(line, { align: 'start' })
    else list.scrollToEnd()
    const frame = requestAnimationFrame(() => setPlaced(true))
    return () => cancelAnimationFrame(frame)
  }, [placed, loaded, list, rows])
  return placed
}

/**
 * The line "New" stands at the first message that was unread when the conversation was opened, or that came while the
 * person looked elsewhere. One's own message takes it away.
 */
function useNewLine(summary: Summary, looking: boolean, sentCount: number): number | null {
  const firstUnread = summary.unread > 0 ? summary.readSeq + 1 : null
  const [newFrom, setNewFrom] = useState(firstUnread)
  const [sentBefore, setSentBefore] = useState(sentCount)
  if (sentCount !== sentBefore) {
    setSentBefore(sentCount)
    setNewFrom(null)
  } else if (!looking && firstUnread !== null && (newFrom === null || newFrom < firstUnread)) {
    setNewFrom(firstUnread)
  }
  return newFrom
}

function countFrom(
  messages: ReadonlyMap<number, Message>,
  from: number | null,
  to: number,
  me: string,
): number {
  let count = 0
  for (let seq = from ?? to + 1; seq <= to; seq += 1) {
    const message = messages.get(seq)
    if (message !== undefined && message.sender_id !== me && message.deleted_at === null) count += 1
  }
  return count
}

const Skeleton = () => (
  <div className="mx-auto max-w-[860px] px-4 pb-4">
    {[70, 45, 60, 82].map((width) => (
      <div key={width} className="flex gap-3 py-2.5">
        <Bone className="size-10 shrink-0 rounded-full!" />
        <div className="flex-1">
          <Bone className="h-3.5 w-28" />
          <div style={{ width: `${String(width)}%` }}>
            <Bone className="mt-2 h-3.5 w-full" />
          </div>
        </div>
      </div>
    ))}
  </div>
)
