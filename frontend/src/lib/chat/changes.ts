/**
 * The one place that applies a change, whether it came live, by `sync`, by a page of history or from oneself.
 *
 * `applyChanges` is pure. Applying a change twice, late, or in another order ends in the same state; the tests beside
 * this file prove it with random orders. A batch copies what it touches once, however many changes it holds.
 */
import type { Conversation, Member, MemberChange, Message, Presence, Role, User } from '@/contracts'
import type { ChatState, MemberState, Outgoing, Range, Thread, Watermarks } from './state'
import { NO_THREAD } from './state'

export type Change =
  /** `live`: the event of this very change, so that the change counts as seen. */
  | { type: 'conversation'; conversation: Conversation; live?: true }
  | { type: 'removed'; conversation_id: string; change_seq: number | null }
  | { type: 'message'; message: Message }
  /** A page of history, ascending and without a hole. `extend` joins what is loaded, `replace` takes its place. */
  | { type: 'history'; conversation_id: string; messages: readonly Message[]; mode: 'extend' | 'replace' }
  | { type: 'member'; conversation_id: string; user_id: string; role: Role | null; change_seq: number }
  /** Members as a list answered them; `asOf` is how far the changes were known when it was asked for. */
  /** `complete` with the last of them: all that `marksMissed` counted when they were asked for is known now. */
  | {
      type: 'members'
      conversation_id: string
      members: readonly Member[]
      asOf: number
      complete: { marksMissed: number } | null
    }
  | {
      type: 'synced'
      conversation_id: string
      messages: readonly Message[]
      members: readonly MemberChange[]
      change_seq: number
    }
  | { type: 'reset'; conversation_id: string; change_seq: number }
  | { type: 'receipt'; conversation_id: string; user_id: string; delivered_seq: number; read_seq: number }
  /** Receipts are not counted as changes are: after a break, and where one has just come in, some may be missing. */
  | { type: 'receipts_missed'; conversation_ids: readonly string[] }
  | { type: 'typing'; conversation_id: string; user_id: string; until: number | null }
  | { type: 'clock'; now: number }
  | { type: 'presence'; presence: Presence }
  | { type: 'users'; users: readonly User[] }
  | { type: 'outgoing'; item: Outgoing }
  | { type: 'withdrawn'; conversation_id: string; client_message_id: string }
  | { type: 'listed' }

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** A state in the making: parts of the old one are copied when first written to. */
class Draft {
  private readonly next: Mutable<ChatState>
  private readonly threads = new Map<string, Mutable<Thread>>()
  private readonly ownMessages = new Map<string, Map<number, Message>>()

  constructor(private readonly old: ChatState) {
    this.next = { ...old }
  }

  get me(): string | null {
    return this.old.me
  }

  get state(): Mutable<ChatState> {
    return this.next
  }

  peek(id: string): Thread {
    return this.next.threads[id] ?? NO_THREAD
  }

  thread(id: string): Mutable<Thread> {
    let thread = this.threads.get(id)
    if (thread === undefined) {
      thread = { ...this.peek(id) }
      this.threads.set(id, thread)
      this.next.threads = { ...this.next.threads, [id]: thread }
    }
    return thread
  }

  messages(id: string): Map<number, Message> {
    const thread = this.thread(id)
    let messages = this.ownMessages.get(id)
    if (messages === undefined || thread.messages !== messages) {
      messages = new Map(thread.messages)
      this.ownMessages.set(id, messages)
      thread.messages = messages
    }
    return messages
  }
}

export function applyChanges(state: ChatState, changes: readonly Change[]): ChatState {
  if (changes.length === 0) return state
  const draft = new Draft(state)
  for (const change of changes) apply(draft, change)
  return draft.state
}

function apply(draft: Draft, change: Change): void {
  switch (change.type) {
    case 'conversation':
      mergeConversation(draft, change.conversation)
      if (change.live) saw(draft, change.conversation.id, change.conversation.change_seq)
      return
    case 'removed':
      return remove(draft, change.conversation_id, change.change_seq)
    case 'message':
      mergeMessage(draft, change.message)
      return saw(draft, change.message.conversation_id, change.message.change_seq)
    case 'history':
      return mergeHistory(draft, change.conversation_id, change.messages, change.mode)
    case 'member':
      return heardOfMember(draft, change)
    case 'members':
      return mergeMemberList(draft, change)
    case 'synced':
      return mergeSync(draft, change)
    case 'reset':
      return reset(draft, change.conversation_id, change.change_seq)
    case 'receipt':
      return raise(draft, change.conversation_id, change.user_id, change)
    case 'receipts_missed':
      return missReceipts(draft, change.conversation_ids)
    case 'typing':
      return setTyping(draft, change.conversation_id, change.user_id, change.until)
    case 'clock':
      return endTyping(draft, change.now)
    case 'presence':
      draft.state.presence = { ...draft.state.presence, [change.presence.user_id]: change.presence }
      return
    case 'users':
      return mergeUsers(draft, change.users)
    case 'outgoing':
      return putOutgoing(draft, change.item)
    case 'withdrawn':
      return dropOutgoing(draft, change.conversation_id, change.client_message_id)
    case 'listed':
      draft.state.listed = true
      return
  }
}

// Conversations

const isGone = (thread: Thread, changeSeq: number): boolean =>
  thread.removedAt !== null && changeSeq <= thread.removedAt

function isNewer(next: Conversation, held: Conversation | null): boolean {
  if (held === null || next.change_seq !== held.change_seq)
    return held === null || next.change_seq > held.change_seq
  return next.read_seq >= held.read_seq
}

function mergeConversation(draft: Draft, next: Conversation): void {
  const held = draft.peek(next.id)
  if (isGone(held, next.change_seq)) return
  const thread = draft.thread(next.id)
  thread.removedAt = null
  if (isNewer(next, held.snapshot)) thread.snapshot = next
  if (thread.progress === null) startProgress(draft, next.id, next.change_seq)
  if (next.peer !== null) mergeUsers(draft, [next.peer])
  if (next.last_message !== null) mergeMessage(draft, next.last_message)
  if (draft.me !== null)
    raise(draft, next.id, draft.me, { delivered_seq: next.read_seq, read_seq: next.read_seq })
}

/** From here on every change is followed; what strayed in earlier may have missed one. */
function startProgress(draft: Draft, id: string, changeSeq: number): void {
  const thread = draft.thread(id)
  if (
    thread.range === null &&
    [...thread.messages.values()].some((message) => message.change_seq < changeSeq)
  ) {
    const messages = draft.messages(id)
    for (const [seq, message] of messages) if (message.change_seq < changeSeq) messages.delete(seq)
    thread.top = Math.max(0, ...messages.keys())
  }
  thread.progress = { upTo: changeSeq, ahead: new Set() }
}

function remove(draft: Draft, id: string, changeSeq: number | null): void {
  const held = draft.peek(id)
  if (changeSeq !== null && (isGone(held, changeSeq) || (held.snapshot?.change_seq ?? 0) > changeSeq)) return
  if (changeSeq === null && held.removedAt !== null) return
  const known = Math.max(
    held.progress?.upTo ?? 0,
    held.snapshot?.change_seq ?? 0,
    ...(held.progress?.ahead ?? []),
  )
  Object.assign(draft.thread(id), NO_THREAD, { removedAt: Math.max(known, changeSeq ?? 0) })
  const { [id]: _typing, ...typing } = draft.state.typing
  draft.state.typing = typing
}

// Messages

function mergeMessage(draft: Draft, message: Message): void {
  const id = message.conversation_id
  const thread = draft.peek(id)
  if (isGone(thread, message.change_seq)) return
  const held = thread.messages.get(message.seq)
  if (held === undefined || held.change_seq < message.change_seq) draft.messages(id).set(message.seq, message)
  if (held === undefined) {
    if (message.seq > thread.top) draft.thread(id).top = message.seq
    grow(draft, id)
    // Who writes has read what was there.
    raise(draft, id, message.sender_id, { delivered_seq: message.seq, read_seq: message.seq })
    setTyping(draft, id, message.sender_id, null)
  }
  if (message.sender_id === draft.me) dropOutgoing(draft, id, message.client_message_id)
}

/** Numbers have no gaps, so the loaded range goes on as far as messages lie side by side. */
function grow(draft: Draft, id: string): void {
  const { range, messages } = draft.peek(id)
  if (range === null) return
  let { from, to } = range
  while (messages.has(to + 1)) to += 1
  while (messages.has(from - 1)) from -= 1
  if (from !== range.from || to !== range.to) draft.thread(id).range = { from, to }
}

function mergeHistory(draft: Draft, id: string, page: readonly Message[], mode: 'extend' | 'replace'): void {
  const held = draft.peek(id)
  if (held.removedAt !== null) return
  if (mode === 'replace') forgetStale(draft, id)
  for (const message of page) mergeMessage(draft, message)
  const thread = draft.thread(id)
  const loaded = rangeOf(page)
  thread.range = mode === 'replace' || thread.range === null ? loaded : joined(thread.range, loaded)
  grow(draft, id)
}

function forgetStale(draft: Draft, id: string): void {
  const { staleAt } = draft.peek(id)
  if (staleAt === null) return
  const messages = draft.messages(id)
  for (const [seq, message] of messages) if (message.change_seq <= staleAt) messages.delete(seq)
  Object.assign(draft.thread(id), { staleAt: null, top: Math.max(0, ...messages.keys()) })
}

function rangeOf(page: readonly Message[]): Range {
  const first = page[0]
  const last = page.at(-1)
  return first === undefined || last === undefined ? { from: 1, to: 0 } : { from: first.seq, to: last.seq }
}

/** Two ranges as one where they touch; a page that lies apart (asked for before a jump) changes nothing. */
function joined(held: Range, loaded: Range): Range {
  if (loaded.from > loaded.to || loaded.from > held.to + 1 || loaded.to < held.from - 1) return held
  return { from: Math.min(held.from, loaded.from), to: Math.max(held.to, loaded.to) }
}

// Members and receipts

function mergeMember(draft: Draft, id: string, member: MemberState): void {
  const held = draft.peek(id).members[member.user_id]
  if (held !== undefined && held.change_seq > member.change_seq) return
  const joined_at = member.joined_at ?? held?.joined_at ?? null
  const thread = draft.thread(id)
  thread.members = { ...thread.members, [member.user_id]: { ...member, joined_at } }
}

function heardOfMember(draft: Draft, change: Extract<Change, { type: 'member' }>): void {
  const { conversation_id: id, user_id, role, change_seq } = change
  if (isGone(draft.peek(id), change_seq)) return
  if (user_id === draft.me && role === null) return remove(draft, id, change_seq)
  mergeMember(draft, id, { user_id, role, joined_at: null, change_seq })
  if (role === null) setTyping(draft, id, user_id, null)
  saw(draft, id, change_seq)
}

function mergeMemberList(draft: Draft, change: Extract<Change, { type: 'members' }>): void {
  const { conversation_id: id, members, asOf, complete } = change
  if (draft.peek(id).removedAt !== null) return
  mergeUsers(
    draft,
    members.map((member) => member.user),
  )
  for (const { user, role, joined_at, ...marks } of members) {
    mergeMember(draft, id, { user_id: user.id, role, joined_at, change_seq: asOf })
    raise(draft, id, user.id, marks)
  }
  if (complete === null) return
  const thread = draft.thread(id)
  thread.membersLoaded = true
  thread.marksReadAt = Math.max(thread.marksReadAt, complete.marksMissed)
}

function missReceipts(draft: Draft, ids: readonly string[]): void {
  for (const id of ids) if (draft.peek(id).snapshot !== null) draft.thread(id).marksMissed += 1
}

function raise(draft: Draft, id: string, userId: string, marks: Watermarks): void {
  const held = draft.peek(id)
  if (held.removedAt !== null) return
  const old = held.marks[userId]
  const read_seq = Math.max(old?.read_seq ?? 0, marks.read_seq)
  const delivered_seq = Math.max(old?.delivered_seq ?? 0, marks.delivered_seq, read_seq)
  if (old !== undefined && old.read_seq === read_seq && old.delivered_seq === delivered_seq) return
  const thread = draft.thread(id)
  thread.marks = { ...thread.marks, [userId]: { delivered_seq, read_seq } }
}

function mergeUsers(draft: Draft, users: readonly User[]): void {
  const merged = { ...draft.state.users }
  for (const user of users) merged[user.id] = user
  draft.state.users = merged
}

// How far the changes are known

/** One change was seen; it counts as followed once all before it were. */
function saw(draft: Draft, id: string, changeSeq: number): void {
  const { progress, removedAt } = draft.peek(id)
  if (removedAt !== null || progress === null || changeSeq <= progress.upTo || progress.ahead.has(changeSeq))
    return
  advance(draft, id, progress.upTo, new Set(progress.ahead).add(changeSeq))
}

function advance(draft: Draft, id: string, upTo: number, ahead: ReadonlySet<number>): void {
  let reached = upTo
  while (ahead.has(reached + 1)) reached += 1
  draft.thread(id).progress = { upTo: reached, ahead: new Set([...ahead].filter((seq) => seq > reached)) }
}

function mergeSync(draft: Draft, change: Extract<Change, { type: 'synced' }>): void {
  const { conversation_id: id, messages, members, change_seq } = change
  if (isGone(draft.peek(id), change_seq)) return
  for (const message of messages) mergeMessage(draft, message)
  mergeUsers(
    draft,
    members.map((member) => member.user),
  )
  for (const { user, role, joined_at, change_seq: at, ...marks } of members) {
    mergeMember(draft, id, { user_id: user.id, role, joined_at, change_seq: at })
    raise(draft, id, user.id, marks)
  }
  const { progress } = draft.peek(id)
  advance(draft, id, Math.max(progress?.upTo ?? 0, change_seq), progress?.ahead ?? new Set())
}

function reset(draft: Draft, id: string, changeSeq: number): void {
  const held = draft.peek(id)
  if (held.removedAt !== null) return
  const thread = draft.thread(id)
  // The cursor may have been ahead of the server, so here it may fall.
  thread.progress = {
    upTo: changeSeq,
    ahead: new Set([...(held.progress?.ahead ?? [])].filter((seq) => seq > changeSeq)),
  }
  thread.membersLoaded = false
  thread.staleAt = changeSeq
  if (held.range === null) forgetStale(draft, id)
}

// Typing and what is on its way

function setTyping(draft: Draft, id: string, userId: string, until: number | null): void {
  const { [userId]: held, ...others } = draft.state.typing[id] ?? {}
  if (until === null && held === undefined) return
  draft.state.typing = {
    ...draft.state.typing,
    [id]: until === null ? others : { ...others, [userId]: until },
  }
}

function endTyping(draft: Draft, now: number): void {
  for (const [id, people] of Object.entries(draft.state.typing)) {
    for (const [userId, until] of Object.entries(people)) if (until <= now) setTyping(draft, id, userId, null)
  }
}

function putOutgoing(draft: Draft, item: Outgoing): void {
  const { conversation_id: id, client_message_id } = item
  for (const message of draft.peek(id).messages.values()) {
    if (message.client_message_id === client_message_id && message.sender_id === draft.me) return
  }
  const held = draft.state.outgoing[id] ?? []
  const known = held.some((other) => other.client_message_id === client_message_id)
  const items = known
    ? held.map((other) => (other.client_message_id === client_message_id ? item : other))
    : [...held, item]
  draft.state.outgoing = { ...draft.state.outgoing, [id]: items }
}

function dropOutgoing(draft: Draft, id: string, clientMessageId: string): void {
  const held = draft.state.outgoing[id]
  if (held === undefined || !held.some((item) => item.client_message_id === clientMessageId)) return
  const items = held.filter((item) => item.client_message_id !== clientMessageId)
  draft.state.outgoing = { ...draft.state.outgoing, [id]: items }
}
