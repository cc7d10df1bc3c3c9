/**
 * What a session saw last, in IndexedDB: shown where there is no network, until what is true now has been loaded. A storage
 * that fails costs only that. It is of one session and erased once nobody is signed in.
 */
import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { Conversation, Message, User } from '../contracts.js'
import type { Change } from '../chat/changes/index.js'
import type { ChatState, Thread } from '../chat/state.js'
import type { ChatStore } from '../chat/store.js'
import { Timer } from '../timing.js'

const NAME = 'synctalk.seen'
const SETTLE_MS = 2_000
const MAX_CONVERSATIONS = 200
const MAX_MESSAGES = 50

interface Seen {
  session_id: string
  users: readonly User[]
  conversations: readonly Conversation[]
  /** Each ascending and without a gap. */
  histories: readonly (readonly Message[])[]
}

interface SeenSchema extends DBSchema {
  seen: { key: 'last'; value: Seen }
}

export const eraseLastSeen = (): Promise<void> => deleteDB(NAME)

/** Show what this session saw last, unless something newer is there by now. */
export async function restoreLastSeen(
  chat: ChatStore,
  sessionId: string,
  signal: AbortSignal,
): Promise<void> {
  const seen = await using((database) => database.get('seen', 'last'))
  if (signal.aborted || seen?.session_id !== sessionId || chat.current.listed) return
  chat.dispatch(...changesOf(seen))
}

/** Keep what is seen from now on; views change often, so a moment after. */
export function keepLastSeen(chat: ChatStore, sessionId: string, signal: AbortSignal): void {
  const timer = new Timer(signal)
  const save = (): void => {
    const seen = seenIn(chat.current, sessionId)
    using((database) => database.put('seen', seen, 'last')).catch(() => undefined)
  }
  const stop = chat.state.subscribe(() => timer.start(SETTLE_MS, save))
  signal.addEventListener('abort', stop)
  timer.start(SETTLE_MS, save)
}

/** Closed after each use, so that nothing stands in the way of erasing it. */
async function using<T>(work: (database: IDBPDatabase<SeenSchema>) => Promise<T>): Promise<T> {
  const database = await openDB<SeenSchema>(NAME, 1, {
    upgrade: (created) => void created.createObjectStore('seen'),
  })
  try {
    return await work(database)
  } finally {
    database.close()
  }
}

function changesOf({ users, conversations, histories }: Seen): Change[] {
  return [
    { type: 'users', users },
    ...conversations.map((conversation) => ({ type: 'conversation' as const, conversation })),
    ...histories.map((messages) => ({
      type: 'history' as const,
      conversation_id: messages[0]?.conversation_id ?? '',
      messages,
      mode: 'replace' as const,
    })),
    { type: 'listed' },
  ]
}

function seenIn({ users, threads }: ChatState, session_id: string): Seen {
  const kept = Object.values(threads)
    .filter(({ snapshot, removedAt }) => snapshot !== null && removedAt === null)
    .sort((a, b) => (activityOf(a) < activityOf(b) ? 1 : -1))
    .slice(0, MAX_CONVERSATIONS)
  return {
    session_id,
    users: Object.values(users),
    conversations: kept.flatMap((thread) => conversationOf(thread) ?? []),
    histories: kept.map(historyOf).filter((messages) => messages.length > 0),
  }
}

const activityOf = ({ snapshot }: Thread): string =>
  snapshot?.last_message?.created_at ?? snapshot?.created_at ?? ''

/** Changes are followed from where all of them are known. */
function conversationOf({ snapshot, progress }: Thread): Conversation | null {
  if (snapshot === null) return null
  return { ...snapshot, change_seq: Math.min(snapshot.change_seq, progress?.upTo ?? snapshot.change_seq) }
}

/** What is loaded, and of that the newest; nothing where a reset made it stale. */
function historyOf({ range, messages, staleAt }: Thread): readonly Message[] {
  if (range === null || staleAt !== null) return []
  const from = Math.max(range.from, range.to - MAX_MESSAGES + 1)
  return [...messages.values()]
    .filter(({ seq }) => seq >= from && seq <= range.to)
    .sort((a, b) => a.seq - b.seq)
}
