import { useVirtualizer } from '@tanstack/react-virtual'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { Message } from '@synctalk/client/contracts'
import { useChat, useConnection, useMe, useThread } from '@/lib-react/chat'
import { outgoingTo } from '@synctalk/client/chat/replies'
import { counts, lowestMarks, readSeqsOf, type Summary } from '@synctalk/client/chat/summaries'
import type { Outgoing } from '@synctalk/client/chat/state'
import { texts } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'
import { HistoryRow } from './HistoryRow'
import { HistoryStates } from './HistoryStates'
import { lastOfEachState } from './marks'
import { Announcer, FloatingDay, NewAbove, OlderLoading, ToNewest } from './overlays'
import { AT_END_PX, BELOW_DAY_PX, useHeads, useKeptEnd, usePlacement, useShown, viewOf } from './placing'
import { dayAt, estimateHeight, rowsOf, seqFrom, seqUpTo, startsDay } from './rows'
import { useJump, type Jump } from './useJump'
import { useNewLine } from './useNewLine'
import { usePages } from './usePages'
import { useLooking, useReading } from './useReading'
import { useRowKeys } from './useRowKeys'

const NONE: readonly Outgoing[] = []
/** So many rows before an end is reached the next page is loaded. */
const AHEAD_ROWS = 12

interface HistoryProps {
  summary: Summary
  /** Counts the messages sent from here: each brings the view to the newest. */
  sentCount: number
  /** The message that is being changed in the composer. */
  editingId: string | null
  /** Where to go. */
  jump: Jump | null
}

/** The messages of a conversation. Mounted anew for each conversation. */
export function History({ summary, sentCount, editingId, jump }: HistoryProps) {
  const { id } = summary
  const { receipts } = useLive()
  const me = useMe()
  const thread = useThread(id)
  const outgoing = useChat((state) => state.outgoing[id] ?? NONE)
  const looking = useLooking()
  const { newFrom, clear: clearNewLine } = useNewLine(summary, looking, sentCount)
  const anchor = useRef<number | null>(null)
  const anchorSeq = useCallback(() => anchor.current, [])
  const pages = usePages(id, { wanted: jump?.seq ?? null, firstUnread: newFrom }, anchorSeq)
  // Without a connection only that is shown; what is missing is loaded with the next one.
  const failed = useConnection((state) => state.state === 'live') && pages.failure !== null
  const { range } = thread
  const atNewest = range !== null && range.to >= summary.lastSeq

  const heads = useHeads(range?.from)
  const rows = useMemo(
    () => {
      const waiting = outgoingTo(outgoing, null)
      return rowsOf({ thread, outgoing: waiting, me, newFrom, atNewest, heads, threadId: null })
    },
    // Only these parts of the thread are shown as rows.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [thread.messages, thread.range, outgoing, me, newFrom, atNewest, heads],
  )
  const reached = useMemo(() => lowestMarks(thread, me), [thread, me])
  const readSeqs = useMemo(() => readSeqsOf(thread, me), [thread, me])
  const marksShown = useMemo(() => lastOfEachState(rows, me, reached), [rows, me, reached])

  const scroller = useRef<HTMLDivElement>(null)
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    // Another function makes all rows be measured anew, so it is the same one for as long as the rows are.
    estimateSize: useCallback(
      (index) => (rows[index] === undefined ? 40 : estimateHeight(rows[index])),
      [rows],
    ),
    getItemKey: useCallback((index: number) => rows[index]?.key ?? index, [rows]),
    anchorTo: 'end',
    followOnAppend: true,
    scrollEndThreshold: AT_END_PX,
    scrollPaddingStart: BELOW_DAY_PX,
    overscan: 8,
    paddingStart: 8,
    paddingEnd: 12,
    directDomUpdates: true,
    useFlushSync: false,
  })

  const placed = usePlacement(list, rows, range !== null)
  useKeptEnd(scroller, list)
  useShown(list, rows, editingId)
  const items = list.getVirtualItems()
  const view = viewOf(list, scroller.current)
  const atEnd = list.isAtEnd(AT_END_PX)
  const lastInView = atEnd && atNewest ? range.to : seqUpTo(rows, view.last)
  // What was jumped over, or flew by on the way, is not seen: reading goes on where it was left, once that is in view.
  const [skipping, setSkipping] = useState<'no' | 'going' | 'arrived'>('no')
  if (skipping === 'going' && atEnd && atNewest) setSkipping('arrived')
  const [jumped, setJumped] = useState<Jump | null>(null)
  if (jump !== jumped) {
    setJumped(jump)
    if (jump !== null && jump.seq > summary.readSeq + 1) setSkipping('arrived')
  }
  const goesOn = skipping === 'arrived' && (seqFrom(rows, view.first) ?? Infinity) <= summary.readSeq + 1
  useReading(id, looking, placed && (goesOn || skipping === 'no') ? lastInView : null)
  useEffect(() => {
    anchor.current = atEnd && atNewest ? null : seqUpTo(rows, view.first)
  })

  const { busy, failure, older, newer, around } = pages
  const firstItem = items[0]?.index ?? 0
  const lastItem = items.at(-1)?.index ?? 0
  const { isScrolling } = list
  const paged = useRef(false)
  useEffect(() => {
    if (!isScrolling) paged.current = false
    // A failed page is retried by hand only, and one turn of the wheel loads one page.
    if (!placed || range === null || busy !== null || failure !== null || paged.current) return
    if (firstItem < AHEAD_ROWS && range.from > 1) older()
    else if (!atNewest && lastItem > rows.length - AHEAD_ROWS) newer()
    else return
    paged.current = isScrolling
  }, [isScrolling, placed, range, busy, failure, firstItem, lastItem, rows.length, atNewest, older, newer])

  const toNewest = useCallback(() => {
    if (atNewest) list.scrollToEnd()
    else void around(null).then(() => list.scrollToEnd())
  }, [atNewest, list, around])
  useEffect(() => {
    if (sentCount > 0) toNewest()
    // Sending is what moves the view, not that it could be moved otherwise by now.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [sentCount])
  const jumpToNewest = (): void => {
    setSkipping('going')
    toNewest()
  }

  const load = useCallback((seq: number) => void around(seq), [around])
  const marked = useJump({ list, rows, placed, busy: busy !== null, load }, jump)

  const newRow = newFrom === null ? -1 : rows.findIndex((row) => row.kind === 'new')
  const goingUp = useRef(false)
  useEffect(() => {
    if (!goingUp.current || newRow < 0) return
    goingUp.current = false
    list.scrollToIndex(newRow, { align: 'start' })
  })
  const toNewLine = (): void => {
    if (newRow >= 0) return list.scrollToIndex(newRow, { align: 'start' })
    goingUp.current = true
    void around(newFrom)
  }
  const markAllRead = (): void => {
    setSkipping('no')
    clearNewLine()
    receipts.markRead(id, summary.lastSeq)
  }
  const newAbove =
    newFrom === null || range === null || newRow >= view.first
      ? 0
      : newFrom < range.from
        ? summary.unread
        : countFrom(thread.messages, newFrom, range.to, me)
  const leftUnread = skipping !== 'no' && summary.unread > 0
  const onKeyDown = useRowKeys(list, rows, view.last)

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
        {busy === 'older' && view.first <= 1 && <OlderLoading />}
        <FloatingDay
          iso={placed && !startsDay(rows[view.first]) ? dayAt(rows, view.first) : null}
          scrolling={isScrolling && !(atEnd && atNewest)}
        />
        {newAbove > 0 && (
          <NewAbove count={newAbove} onUp={toNewLine} onRead={leftUnread ? markAllRead : null} />
        )}
        <div
          ref={list.containerRef}
          className={`relative mx-auto mt-auto w-full max-w-column shrink-0 ${placed || range === null ? '' : 'opacity-0'}`}
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
                  reached={reached}
                  readSeqs={readSeqs}
                  marksShown={marksShown}
                  editingId={editingId}
                  marked={marked}
                />
              </div>
            )
          })}
        </div>
        {placed && !(atEnd && atNewest) && <ToNewest below={summary.unread} onDown={jumpToNewest} />}
      </div>
      <HistoryStates empty={rows.length === 0} failed={failed} onRetry={pages.retry} />
      <Announcer conversationId={id} threadId={null} />
    </div>
  )
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
    if (message !== undefined && counts(message, me)) count += 1
  }
  return count
}
