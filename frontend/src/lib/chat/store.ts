/** The one store. Views read it by selectors; everything that changes it goes through `dispatch`. */
import { create } from 'zustand'
import { applyChanges, type Change } from './changes'
import { emptyChat, NO_THREAD, type ChatState, type Thread } from './state'
import { summaryOf, type Summary } from './summaries'

export const useChat = create<ChatState>(() => emptyChat(null))

export const dispatch = (...changes: Change[]): void => {
  if (changes.length > 0) useChat.setState((state) => applyChanges(state, changes), true)
}

/** Begin anew, for this person. */
export const startChat = (me: string | null): void => useChat.setState(emptyChat(me), true)

export const threadOf = (id: string): Thread => useChat.getState().threads[id] ?? NO_THREAD

export const summary = (state: ChatState, id: string): Summary | null => {
  const thread = state.threads[id]
  return thread === undefined || state.me === null ? null : summaryOf(thread, state.me)
}

export const useThread = (id: string): Thread => useChat((state) => state.threads[id] ?? NO_THREAD)
export const useSummary = (id: string): Summary | null => useChat((state) => summary(state, id))
export const useMe = (): string => useChat((state) => state.me ?? '')
export const useUser = (id: string | null | undefined) =>
  useChat((state) => (id == null ? undefined : state.users[id]))
