/**
 * Asking again where the news alone does not tell all: a conversation that only strayed in, a count that became an
 * estimate, people without a name. Coalesced, and never more often than every two seconds for one conversation.
 */
import { useEffect } from 'react'
import type { User } from '@/contracts'
import { dispatch, summary, threadOf, useChat } from '@/lib/chat/store'
import { hasCode } from '@/lib/errors'
import { loadConversation, loadUsers } from './loading'

const SETTLE_MS = 250
const AT_MOST_EVERY_MS = 2_000

const lastAsked = new Map<string, number>()
const dueConversations = new Set<string>()
const duePeople = new Set<string>()
let timer: ReturnType<typeof setTimeout> | undefined

export function checkFreshness(id: string): void {
  const thread = threadOf(id)
  if (thread.removedAt !== null) return
  const unknown = thread.snapshot === null
  const old = thread.staleAt !== null && (thread.snapshot?.change_seq ?? 0) < thread.staleAt
  if (unknown || old || summary(useChat.getState(), id)?.inexact === true) refreshSoon(id)
}

export function refreshSoon(id: string): void {
  dueConversations.add(id)
  schedule()
}

/** A person by id, asked for when not known yet. */
export function usePerson(id: string | null): User | undefined {
  const user = useChat((state) => (id === null ? undefined : state.users[id]))
  const unknown = id !== null && id !== '' && user === undefined
  useEffect(() => {
    if (unknown) wantPerson(id)
  }, [id, unknown])
  return user
}

export function wantPerson(id: string): void {
  duePeople.add(id)
  schedule()
}

export function forgetFreshness(): void {
  clearTimeout(timer)
  timer = undefined
  dueConversations.clear()
  duePeople.clear()
  lastAsked.clear()
}

function schedule(): void {
  timer ??= setTimeout(() => {
    timer = undefined
    askForPeople()
    askForConversations(Date.now())
  }, SETTLE_MS)
}

function askForPeople(): void {
  const ids = [...duePeople]
  duePeople.clear()
  // Who stays unknown is shown without a name; the next view that needs it asks again.
  if (ids.length > 0) loadUsers(ids).catch(() => undefined)
}

function askForConversations(now: number): void {
  for (const id of dueConversations) {
    if (now - (lastAsked.get(id) ?? -Infinity) < AT_MOST_EVERY_MS) continue
    dueConversations.delete(id)
    lastAsked.set(id, now)
    loadConversation(id).catch((error: unknown) => {
      if (hasCode(error, 'not_found')) dispatch({ type: 'removed', conversation_id: id, change_seq: null })
    })
  }
  if (dueConversations.size > 0) setTimeout(schedule, AT_MOST_EVERY_MS)
}
