import { createStore, type StoreApi } from 'zustand/vanilla'
import { applyChanges, type Change } from './changes'
import { emptyChat, NO_THREAD, type ChatState, type Thread } from './state'
import { summaryOf, type Summary } from './summaries'

export const threadIn = (state: ChatState, id: string): Thread => state.threads[id] ?? NO_THREAD

export const summaryIn = (state: ChatState, id: string): Summary | null => {
  const thread = state.threads[id]
  return thread === undefined ? null : summaryOf(thread, state.me)
}

/** What one session knows of the chat. Views subscribe to `state`; everything that changes it goes through `dispatch`. */
export class ChatStore {
  readonly state: StoreApi<ChatState>

  constructor(readonly me: string) {
    this.state = createStore(() => emptyChat(me))
  }

  get current(): ChatState {
    return this.state.getState()
  }

  dispatch(...changes: Change[]): void {
    if (changes.length > 0) this.state.setState((state) => applyChanges(state, changes), true)
  }

  thread(id: string): Thread {
    return threadIn(this.current, id)
  }

  summary(id: string): Summary | null {
    return summaryIn(this.current, id)
  }
}
