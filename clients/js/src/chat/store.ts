import { createStore, type StoreApi } from 'zustand/vanilla'
import { applyChanges, type Change } from './changes/index.js'
import { MessageIndex } from './messageIndex.js'
import { emptyChat, NO_THREAD, type ChatState, type Thread } from './state.js'
import { Summaries, type Summary } from './summaries.js'

export const threadIn = (state: ChatState, id: string): Thread => state.threads[id] ?? NO_THREAD

/** What one session knows of the chat. Views subscribe to `state`; everything that changes it goes through `dispatch`. */
export class ChatStore {
  readonly state: StoreApi<ChatState>
  readonly summaries: Summaries
  readonly index = new MessageIndex()

  constructor(readonly me: string) {
    this.state = createStore(() => emptyChat(me))
    this.summaries = new Summaries(me)
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
    return this.summaries.of(this.thread(id))
  }
}
