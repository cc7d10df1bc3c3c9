/**
 * Puts the changes of each conversation into their order, without gaps and repeats; pure, no I/O.
 *
 * A change that comes before its predecessors is buffered until they are there, by their own events or by `sync`. The
 * cursor of a conversation is the `change_seq` up to which every change was handed on.
 */
import type { Conversation, Message, SyncState } from '../contracts.js'
import type { Cursor, Cursors, Event, MemberEvent } from './events.js'
import { Progress } from './progress.js'

/** Changes of one conversation that wait for a predecessor; with more of them they are fetched again instead. */
export const MAX_BUFFERED = 1_000

/** One change as it came. */
export type Change = { conversationId: string; changeSeq: number } & (
  | { of: 'message'; message: Message }
  | { of: 'member'; member: MemberEvent }
  | { of: 'conversation'; conversation: Conversation }
)

interface Followed {
  upTo: number
  readonly seqs: Progress
  /** Whether the app knows that the user is in this conversation. */
  isKnown: boolean
  readonly buffered: Map<number, Change>
}

const followedFrom = ({ change_seq, last_seq }: Cursor, isKnown: boolean): Followed => ({
  upTo: change_seq,
  seqs: new Progress(last_seq),
  isKnown,
  buffered: new Map(),
})

const START: Cursor = { change_seq: 0, last_seq: 0 }

export const changeOf = {
  message: (message: Message): Change => ({
    conversationId: message.conversation_id,
    changeSeq: message.change_seq,
    of: 'message',
    message,
  }),
  member: (member: MemberEvent): Change => ({
    conversationId: member.conversation_id,
    changeSeq: member.change_seq,
    of: 'member',
    member,
  }),
  conversation: (conversation: Conversation): Change => ({
    conversationId: conversation.id,
    changeSeq: conversation.change_seq,
    of: 'conversation',
    conversation,
  }),
} as const

/** All conversations of a user. */
export class Following {
  private readonly followed: Map<string, Followed>
  /**
   * Until the conversations of the first connection are known: what is not known yet is followed from now on. Later it
   * was joined during an absence, and is followed from its beginning.
   */
  private fromNow: boolean

  constructor(cursors: Cursors) {
    this.followed = new Map(
      Object.entries(cursors).map(([id, cursor]) => [id, followedFrom(cursor, true)] as const),
    )
    this.fromNow = this.followed.size === 0
  }

  has(conversationId: string): boolean {
    return this.followed.has(conversationId)
  }

  get ids(): string[] {
    return [...this.followed.keys()]
  }

  cursor(conversationId: string): Cursor | null {
    const followed = this.followed.get(conversationId)
    return followed === undefined ? null : { change_seq: followed.upTo, last_seq: followed.seqs.upTo }
  }

  withGaps(): string[] {
    return this.ids.filter((id) => (this.followed.get(id)?.buffered.size ?? 0) > 0)
  }

  /** Take the state of the user's conversations at the server, all of them if `complete`; return those to sync. */
  connected(states: ReadonlyMap<string, Cursor>, complete: boolean): string[] {
    for (const [id, state] of states) {
      if (!this.followed.has(id))
        this.followed.set(id, followedFrom(this.fromNow ? state : START, this.fromNow))
    }
    this.fromNow = this.fromNow && !complete
    return [...this.followed].flatMap(([id, { upTo, buffered }]) => {
      const state = states.get(id)
      const isBehind = state === undefined ? complete : state.change_seq !== upTo
      return isBehind || buffered.size > 0 ? [id] : []
    })
  }

  /** Follow a conversation of which something is missing, if it is not known yet. */
  expect(conversationId: string): void {
    if (!this.fromNow && !this.followed.has(conversationId))
      this.followed.set(conversationId, followedFrom(START, false))
  }

  /** Follow a conversation from the state that its event has. */
  added(conversation: Conversation): Event[] {
    if (this.followed.has(conversation.id)) return []
    this.followed.set(conversation.id, followedFrom(conversation, true))
    return [{ type: 'conversation.added', conversation }]
  }

  removed(conversationId: string): Event[] {
    const wasThere = this.followed.delete(conversationId)
    return wasThere ? [{ type: 'conversation.removed', conversation_id: conversationId }] : []
  }

  /** Return what can be handed on now that this change has come. */
  take(change: Change): Event[] {
    const { conversationId, changeSeq } = change
    let followed = this.followed.get(conversationId)
    if (followed === undefined) {
      followed = this.beginningAt(change)
      this.followed.set(conversationId, followed)
    }
    if (changeSeq <= followed.upTo) return []
    if (followed.buffered.size >= MAX_BUFFERED) followed.buffered.clear()
    // A pin comes as its message and as the conversation, with one number: the message has to stay.
    if (change.of !== 'conversation' || !followed.buffered.has(changeSeq))
      followed.buffered.set(changeSeq, change)
    return advance(followed)
  }

  private beginningAt(change: Change): Followed {
    if (!this.fromNow) return followedFrom(START, false)
    const last_seq = change.of === 'message' ? change.message.seq - 1 : 0
    return followedFrom({ change_seq: change.changeSeq - 1, last_seq }, true)
  }

  /** Forget what is buffered of a conversation: it is going to be fetched. */
  miss(conversationId: string): void {
    this.followed.get(conversationId)?.buffered.clear()
  }

  /** Take the ack of a sync that is neither a reset nor a removal. */
  synced(conversationId: string, state: SyncState): Event[] {
    const followed = this.followed.get(conversationId)
    const upTo = state.change_seq ?? 0
    if (followed === undefined || upTo <= followed.upTo) return []
    const { messages, members, conversation } = state
    const changes = [
      ...(messages ?? []).map((message) => changeOf.message(message)),
      ...(members ?? []).map(({ user, role, change_seq, muted_until = null }) =>
        changeOf.member({
          type: 'member.changed',
          conversation_id: conversationId,
          user_id: user.id,
          role,
          change_seq,
          muted_until,
        }),
      ),
    ].sort((a, b) => a.changeSeq - b.changeSeq)
    const isNew = !followed.isKnown
    const events: Event[] = []
    if (isNew && conversation != null) {
      followed.isKnown = true
      events.push({ type: 'conversation.added', conversation })
    }
    for (const change of changes)
      if (change.changeSeq > followed.upTo) events.push(...eventsOf(followed, change))
    if (state.more !== true && !isNew && conversation != null)
      events.push({ type: 'conversation.updated', conversation })
    return [...events, ...reach(followed, upTo)]
  }

  /** Go on from `changeSeq`, where the history is loaded anew; it has the messages up to `lastSeq`. */
  reset(conversationId: string, changeSeq: number, lastSeq: number): Event[] {
    const before = this.followed.get(conversationId)
    if (before === undefined) return []
    const followed = {
      ...followedFrom({ change_seq: changeSeq, last_seq: lastSeq }, before.isKnown),
      buffered: before.buffered,
    }
    this.followed.set(conversationId, followed)
    return [
      { type: 'history.reset', conversation_id: conversationId, change_seq: changeSeq },
      ...reach(followed, changeSeq),
    ]
  }
}

function reach(followed: Followed, changeSeq: number): Event[] {
  followed.upTo = changeSeq
  for (const number of followed.buffered.keys()) if (number <= changeSeq) followed.buffered.delete(number)
  return advance(followed)
}

function advance(followed: Followed): Event[] {
  const events: Event[] = []
  for (;;) {
    const change = followed.buffered.get(followed.upTo + 1)
    if (change === undefined) return events
    followed.upTo += 1
    followed.buffered.delete(followed.upTo)
    events.push(...eventsOf(followed, change))
  }
}

function eventsOf(followed: Followed, change: Change): Event[] {
  if (change.of === 'member') return [change.member]
  if (change.of === 'conversation')
    return [{ type: 'conversation.updated', conversation: change.conversation }]
  const { message } = change
  const isNew = !followed.seqs.has(message.seq)
  followed.seqs.add(message.seq)
  if (message.deleted_at !== null) return [{ type: 'message.deleted', message }]
  return [{ type: isNew ? 'message.created' : 'message.updated', message }]
}
