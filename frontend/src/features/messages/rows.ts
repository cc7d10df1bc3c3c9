/** A conversation's history as rows to show: pure, and in the order of `seq`. Before any of it is loaded: what is on its way. */
import type { File as StoredFile, Message } from '@synctalk/client/contracts'
import { previewsOf } from '@synctalk/client/chat/previews'
import { isThreadOnly } from '@synctalk/client/chat/replies'
import type { Outgoing, Thread } from '@synctalk/client/chat/state'
import { dayKey } from '@/lib/text/format'
import { filesHeight } from './files/layout'
import { FOLDED_LINES, isLong, linesIn, withoutGaps } from './folding'

/** Messages of one sender closer than this stand together under one name. */
const GROUP_MS = 5 * 60_000

export type Row =
  | { kind: 'start'; key: string }
  | { kind: 'day'; key: string; iso: string }
  | { kind: 'new'; key: string }
  | { kind: 'message'; key: string; message: Message; first: boolean }
  /** What the group itself says. */
  | { kind: 'event'; key: string; message: Message }
  | { kind: 'outgoing'; key: string; item: Outgoing; first: boolean }

interface Previous {
  senderId: string
  at: number
  day: number
}

/** One's own message keeps its key when it arrives, so that nothing flickers. */
const messageKey = (message: Message, me: string): string =>
  message.sender_id === me ? `own:${message.client_message_id}` : `seq:${String(message.seq)}`

export interface RowsInput {
  thread: Pick<Thread, 'messages' | 'range'>
  outgoing: readonly Outgoing[]
  me: string
  /** The line "New" stands before the first message from here on; what the group says is never new. */
  newFrom: number | null
  /** Whether the loaded range ends with the newest message. */
  atNewest: boolean
  /** Messages that loading once began with: they keep their sender's name, so that what is loaded before moves nothing. */
  heads: ReadonlySet<number>
  /** The thread whose replies these are; null: the conversation, which is without what is in threads alone. */
  threadId: string | null
}

/**
 * What is loaded before the rows only adds to them: a day's line stands where the day is known to begin, between two
 * messages or at the very first, and is known by the message after it. So each row is a place to keep while reading.
 */
export function rowsOf(input: RowsInput): Row[] {
  const { thread, outgoing, me, newFrom, atNewest, heads, threadId } = input
  const { range, messages } = thread
  const rows: Row[] = []
  let previous = null as Previous | null
  if (range === null) {
    pushOutgoing(rows, outgoing, me, previous)
    return rows
  }
  // It may be further back than what is loaded.
  let lineFrom = newFrom !== null && range.from <= newFrom ? newFrom : null
  if (range.from <= 1) rows.push({ kind: 'start', key: 'start' })
  for (let seq = range.from; seq <= range.to; seq += 1) {
    const message = messages.get(seq)
    if (message === undefined || (threadId === null && isThreadOnly(message))) continue
    const day = dayKey(message.created_at)
    const at = Date.parse(message.created_at)
    const key = messageKey(message, me)
    let first = heads.has(seq) || startsGroup(previous, message.sender_id, at)
    if (previous === null ? range.from <= 1 : previous.day !== day) {
      rows.push({ kind: 'day', key: `day:${key}`, iso: message.created_at })
      first = true
    }
    if (lineFrom !== null && seq >= lineFrom && message.system == null) {
      lineFrom = null
      rows.push({ kind: 'new', key: 'new' })
      first = true
    }
    if (message.system == null) {
      rows.push({ kind: 'message', key, message, first })
      previous = { senderId: message.sender_id, at, day }
    } else {
      rows.push({ kind: 'event', key, message })
      previous = { senderId: '', at, day }
    }
  }
  if (atNewest) pushOutgoing(rows, outgoing, me, previous)
  return rows
}

function startsGroup(previous: Previous | null, senderId: string, at: number): boolean {
  return previous === null || previous.senderId !== senderId || at - previous.at > GROUP_MS
}

function pushOutgoing(rows: Row[], outgoing: readonly Outgoing[], me: string, last: Previous | null): void {
  let previous = last
  for (const item of outgoing) {
    const key = `own:${item.client_message_id}`
    const day = dayKey(item.created_at)
    const at = Date.parse(item.created_at)
    let first = startsGroup(previous, me, at)
    // A clock that is behind shall not begin an earlier day.
    if (previous === null || day > previous.day) {
      rows.push({ kind: 'day', key: `day:${key}`, iso: item.created_at })
      first = true
    }
    rows.push({ kind: 'outgoing', key, item, first })
    previous = { senderId: me, at, day }
  }
}

const LINE_PX = 22
const QUOTE_PX = 24
const ORIGIN_PX = 20
const REACTIONS_PX = 32
const THREAD_PX = 32
const PREVIEWS_PX = 24
const PREVIEW_PX = 54

/** A guess of a row's height, before it is measured. */
export function estimateHeight(row: Row): number {
  switch (row.kind) {
    case 'start':
      return 132
    case 'day':
      return 44
    case 'new':
      return 28
    case 'event':
      return 26
    case 'message':
      return (
        contentHeight(row.message, row.first) +
        originHeight(row.message) +
        threadHeight(row.message) +
        previewsHeight(row.message) +
        reactionsHeight(row.message)
      )
    case 'outgoing':
      return contentHeight(row.item, row.first)
  }
}

interface Content {
  body: string
  reply_to: string | null
  files?: readonly StoredFile[]
}

const contentHeight = ({ body, reply_to, files = [] }: Content, first: boolean): number =>
  (body === '' && files.length > 0 ? (first ? 33 : 2) : textHeight(body, first)) +
  quoteHeight({ reply_to }) +
  filesHeight(files)

const quoteHeight = ({ reply_to }: { reply_to: string | null }): number => (reply_to === null ? 0 : QUOTE_PX)

function previewsHeight(message: Message): number {
  const previews = previewsOf(message)
  if (previews.length === 0) return 0
  const lines = previews.map(({ description }) =>
    description === '' ? 0 : description.length > 60 ? 36 : 18,
  )
  return lines.reduce((sum, line) => sum + line + PREVIEW_PX, PREVIEWS_PX)
}

const originHeight = ({ pinned_by, forwarded_from }: Message): number =>
  (pinned_by == null ? 0 : ORIGIN_PX) + (forwarded_from == null ? 0 : ORIGIN_PX)

const threadHeight = ({ thread, thread_id }: Message): number =>
  (thread == null ? 0 : THREAD_PX) + (thread_id == null ? 0 : ORIGIN_PX)

const reactionsHeight = ({ reactions }: Message): number =>
  Object.keys(reactions).length === 0 ? 0 : REACTIONS_PX

function textHeight(body: string, first: boolean): number {
  const around = first ? 37 : 2
  // One line more for what unfolds it.
  if (isLong(body)) return (Math.min(linesIn(withoutGaps(body)), FOLDED_LINES) + 1) * LINE_PX + around
  return linesIn(withoutGaps(body)) * LINE_PX + around
}

/** The highest `seq` among rows up to `index`. */
export function seqUpTo(rows: readonly Row[], index: number): number | null {
  for (let at = Math.min(index, rows.length - 1); at >= 0; at -= 1) {
    const row = rows[at]
    if (row?.kind === 'message' || row?.kind === 'event') return row.message.seq
  }
  return null
}

/** The day that a row belongs to. */
export function dayAt(rows: readonly Row[], index: number): string | null {
  for (let at = Math.min(index, rows.length - 1); at >= 0; at -= 1) {
    const row = rows[at]
    if (row?.kind === 'day') return row.iso
    if (row?.kind === 'message' || row?.kind === 'event') return row.message.created_at
    if (row?.kind === 'outgoing') return row.item.created_at
  }
  return null
}

/** The lowest `seq` among rows from `index` on. */
export function seqFrom(rows: readonly Row[], index: number): number | null {
  for (let at = Math.max(index, 0); at < rows.length; at += 1) {
    const row = rows[at]
    if (row?.kind === 'message' || row?.kind === 'event') return row.message.seq
  }
  return null
}

/** Whether the row shows its day itself. */
export const startsDay = (row: Row | undefined): boolean => row?.kind === 'day' || row?.kind === 'start'
