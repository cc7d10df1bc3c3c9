/** Who is signed in, as a state that views follow. The tokens themselves stay in storage. */
import { create } from 'zustand'
import type { EndReason, Tokens, User } from '@/contracts'
import * as storage from './storage'

export type SessionState =
  /** `left`: the person signed out; null: nobody was signed in. */
  | { state: 'signed_out'; ended: EndReason | 'left' | null; username: string | null }
  | { state: 'signed_in'; user: User; sessionId: string }

const stateOf = (stored: storage.StoredSession | null): SessionState =>
  stored === null
    ? { state: 'signed_out', ended: null, username: null }
    : { state: 'signed_in', user: stored.user, sessionId: stored.session_id }

export const useSession = create<SessionState>(() => stateOf(storage.read()))

const replaceWith = (state: SessionState): void => useSession.setState(state, true)

export function begin(tokens: Tokens): void {
  storage.write(storage.fromTokens(tokens, Date.now()))
  storage.tell({ type: 'changed' })
  replaceWith(stateOf(storage.read()))
}

/** The server ended this session; the drafts of its person stay on this machine. */
export function end(reason: EndReason): void {
  const stored = storage.read()
  storage.clear()
  if (stored !== null) storage.tell({ type: 'ended', reason, session_id: stored.session_id })
  showEnded(reason)
}

/** The person signed out. */
export function leave(): void {
  storage.clear()
  storage.tell({ type: 'changed' })
  replaceWith({ state: 'signed_out', ended: 'left', username: null })
}

export function rename(user: User): void {
  const stored = storage.read()
  if (stored === null) return
  storage.write({ ...stored, user })
  storage.tell({ type: 'changed' })
  replaceWith(stateOf({ ...stored, user }))
}

function showEnded(reason: EndReason): void {
  const current = useSession.getState()
  const username = current.state === 'signed_in' ? current.user.username : current.username
  replaceWith({ state: 'signed_out', ended: reason, username })
}

/** Follow what other tabs do to the session. */
export function followOtherTabs(): () => void {
  return storage.listen((news) => {
    const current = useSession.getState()
    if (news.type === 'ended') {
      if (current.state === 'signed_in' && current.sessionId === news.session_id) showEnded(news.reason)
      return
    }
    const next = stateOf(storage.read())
    const same =
      current.state === 'signed_in' &&
      next.state === 'signed_in' &&
      current.sessionId === next.sessionId &&
      JSON.stringify(current.user) === JSON.stringify(next.user)
    if (!same && !(current.state === 'signed_out' && next.state === 'signed_out')) replaceWith(next)
  })
}
