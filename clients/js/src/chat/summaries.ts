/** What views show of a conversation, computed from its thread. Pure. */
import type { Conversation, Message, Role, User } from '../contracts.js'
import { isThreadOnly, outgoingTo } from './replies.js'
import type { Outgoing, Thread } from './state.js'

export interface Summary {
  id: string
  type: Conversation['type']
  title: string | null
  peer: User | null
  /** The address of its picture: the group's, or the other member's. */
  picture: string | null
  role: Role
  last: Message | null
  /** One's own newest that has not gone out yet. */
  waiting: Outgoing | null
  lastSeq: number
  readSeq: number
  unread: number
  pinsCount: number
  membersCount: number
  posting: 'everyone' | 'admins'
  slowModeS: number
  archivedAt: string | null
  /** Until when one may only read; null: one may write. */
  mutedUntil: string | null
  pinnedAt: string | null
  /** Left out of the list until the next message. */
  hidden: boolean
  /** By oneself, until it is read again. */
  markedUnread: boolean
  /** How many of the unread mention oneself. */
  mentions: number
  /** RFC 3339; conversations are listed by it. */
  activityAt: string
  /** The counts are an estimate until the server is asked again. */
  inexact: boolean
}

/** Return a conversation's summary; null while the conversation itself is not known, or when it is not ours any more. */
export function summaryOf(thread: Thread, me: string): Summary | null {
  const { snapshot } = thread
  if (snapshot === null || thread.removedAt !== null) return null
  const last = newest(thread)
  const lastSeq = Math.max(snapshot.last_seq, thread.top)
  const readSeq = Math.max(snapshot.read_seq, thread.marks[me]?.read_seq ?? 0)
  const unread = unreadOf(thread, snapshot, me, readSeq, lastSeq)
  const members = membersOf(thread, snapshot, me)
  return {
    id: snapshot.id,
    type: snapshot.type,
    title: snapshot.title,
    peer: snapshot.peer,
    picture: snapshot.peer === null ? (snapshot.avatar_url ?? null) : snapshot.peer.avatar_url,
    role: members.role,
    last,
    waiting: null,
    lastSeq,
    readSeq,
    unread: unread.count,
    pinsCount: snapshot.pins_count ?? 0,
    membersCount: members.count,
    posting: snapshot.posting ?? 'everyone',
    slowModeS: snapshot.slow_mode_s ?? 0,
    archivedAt: snapshot.archived_at ?? null,
    mutedUntil: thread.members[me]?.muted_until ?? null,
    pinnedAt: snapshot.me?.pinned_at ?? null,
    hidden: isHidden(snapshot, last),
    markedUnread: (snapshot.me?.marked_unread_at ?? null) !== null,
    mentions: unread.count === 0 ? 0 : mentionsOf(thread, snapshot, me, readSeq),
    activityAt: last?.created_at ?? snapshot.created_at,
    inexact: unread.inexact || members.inexact,
  }
}

/** Return the summary with the newest message that waits to be sent; it counts as newest, whatever this machine's clock says. */
export function withWaiting(summary: Summary, outgoing: readonly Outgoing[] | undefined): Summary {
  const waiting = outgoingTo(outgoing ?? [], null).at(-1)
  if (waiting === undefined) return summary
  const { activityAt } = summary
  return {
    ...summary,
    waiting,
    activityAt: waiting.created_at > activityAt ? waiting.created_at : activityAt,
  }
}

function newest({ messages, top, snapshot }: Thread): Message | null {
  const last = snapshot?.last_message ?? null
  for (let seq = top; seq >= (last?.seq ?? 1); seq -= 1) {
    const message = messages.get(seq)
    // What is further back is not known.
    if (message === undefined) break
    if (!isThreadOnly(message)) return message
  }
  return last
}

/** A message brings a hidden conversation back; what the group says of itself does not. */
function isHidden(snapshot: Conversation, last: Message | null): boolean {
  const at = snapshot.me?.hidden_at ?? null
  return at !== null && (last === null || last.system != null || last.created_at <= at)
}

/** The server's count of unread mentions, and those that came since; what was read since is none. */
function mentionsOf({ messages }: Thread, snapshot: Conversation, me: string, readSeq: number): number {
  let count = readSeq > snapshot.read_seq ? 0 : (snapshot.me?.mention_count ?? 0)
  for (const message of messages.values()) {
    const isNew = message.seq > readSeq && (message.seq > snapshot.last_seq || readSeq > snapshot.read_seq)
    if (isNew && counts(message, me) && isMention(message, me)) count += 1
  }
  return count
}

/** Whether a message mentions the user, by name or with all. */
export const isMention = (message: Message, me: string): boolean =>
  message.mentions.includes(me) || (message.mention_all === true && message.sender_id !== me)

/** Whether a message can be unread in its conversation; what is in a thread alone is unread there. */
export const counts = (message: Message, me: string): boolean =>
  message.sender_id !== me && message.deleted_at === null && message.system == null && !isThreadOnly(message)

/**
 * The others' undeleted messages above the read mark. Exact where all of them are at hand; else the server's count,
 * brought up to date by what came since, as long as nothing was read in between, and nothing that came is missing: after
 * too long an absence the server sends what is newest, and not what came before.
 */
function unreadOf(
  { messages }: Thread,
  snapshot: Conversation,
  me: string,
  readSeq: number,
  lastSeq: number,
): { count: number; inexact: boolean } {
  if (readSeq >= lastSeq) return { count: 0, inexact: false }
  const known = countKnown(messages, me, readSeq, lastSeq)
  if (known !== null) return { count: known, inexact: false }
  let count = snapshot.unread_count
  let missing = lastSeq - snapshot.last_seq
  for (const message of messages.values()) {
    if (message.seq > snapshot.last_seq) missing -= 1
    if (message.seq <= readSeq || message.sender_id === me || isThreadOnly(message)) continue
    if (message.seq > snapshot.last_seq && counts(message, me)) count += 1
    const deletedSince = message.deleted_at !== null && message.change_seq > snapshot.change_seq
    if (message.seq <= snapshot.last_seq && deletedSince) count -= 1
  }
  return { count: Math.max(0, count), inexact: readSeq > snapshot.read_seq || missing > 0 }
}

function countKnown(
  messages: ReadonlyMap<number, Message>,
  me: string,
  readSeq: number,
  lastSeq: number,
): number | null {
  if (lastSeq - readSeq > messages.size) return null
  let count = 0
  for (let seq = readSeq + 1; seq <= lastSeq; seq += 1) {
    const message = messages.get(seq)
    if (message === undefined) return null
    if (counts(message, me)) count += 1
  }
  return count
}

function membersOf(
  thread: Thread,
  snapshot: Conversation,
  me: string,
): { role: Role; count: number; inexact: boolean } {
  const own = thread.members[me]
  const role =
    own !== undefined && own.role !== null && own.change_seq > snapshot.change_seq ? own.role : snapshot.role
  const members = Object.values(thread.members)
  if (thread.membersLoaded) {
    return { role, count: members.filter((member) => member.role !== null).length, inexact: false }
  }
  const changed = members.some((member) => member.change_seq > snapshot.change_seq)
  return { role, count: snapshot.members_count, inexact: changed }
}

/** The pinned ones of the messages that are known, the latest pin first. */
export const pinnedIn = ({ messages }: Pick<Thread, 'messages'>): Message[] =>
  [...messages.values()]
    .filter(({ pinned_at }) => pinned_at != null)
    .sort((a, b) => ((a.pinned_at ?? '') < (b.pinned_at ?? '') ? 1 : -1))

/** Newest activity first; ids are in the order of time, so they settle a tie. */
export function inOrder(summaries: readonly Summary[]): Summary[] {
  return [...summaries].sort((a, b) => {
    if (a.activityAt !== b.activityAt) return a.activityAt < b.activityAt ? 1 : -1
    return a.id < b.id ? 1 : -1
  })
}

/** The others' lowest marks: up to there a message was delivered to, and read by, everybody. */
export function lowestMarks(thread: Thread, me: string): { delivered: number; read: number } {
  let delivered = Infinity
  let read = Infinity
  for (const userId of othersIn(thread, me)) {
    const marks = thread.marks[userId]
    delivered = Math.min(delivered, marks?.delivered_seq ?? 0)
    read = Math.min(read, marks?.read_seq ?? 0)
  }
  return { delivered: delivered === Infinity ? 0 : delivered, read: read === Infinity ? 0 : read }
}

/** How far each of the others has read, furthest first. */
export const readSeqsOf = (thread: Thread, me: string): number[] =>
  othersIn(thread, me)
    .map((userId) => thread.marks[userId]?.read_seq ?? 0)
    .sort((a, b) => b - a)

/** Of those: how many have read a message. */
export function readersOf(readSeqs: readonly number[], seq: number): number {
  const others = readSeqs.findIndex((read) => read < seq)
  return others === -1 ? readSeqs.length : others
}

function othersIn(thread: Thread, me: string): string[] {
  if (thread.snapshot?.peer) return [thread.snapshot.peer.id]
  if (!thread.membersLoaded) return []
  return Object.values(thread.members)
    .filter((member) => member.role !== null && member.user_id !== me)
    .map((member) => member.user_id)
}

/** The summaries of one session's threads, each computed once for each state of its thread. */
export class Summaries {
  private readonly known = new WeakMap<Thread, Summary | null>()

  constructor(private readonly me: string) {}

  of(thread: Thread): Summary | null {
    const known = this.known.get(thread)
    if (known !== undefined) return known
    const summary = summaryOf(thread, this.me)
    this.known.set(thread, summary)
    return summary
  }
}
