/** Messages that need no action and disappear by themselves; errors that one can act on stand beside what failed. */
import { createStore } from 'zustand/vanilla'

export interface Toast {
  id: number
  text: string
}

const SHOWN_MS = 3_500
const MAX = 3

export class ToastList {
  readonly state = createStore<{ toasts: readonly Toast[] }>(() => ({ toasts: [] }))
  private nextId = 1

  readonly show = (text: string): void => {
    const id = this.nextId++
    this.state.setState(({ toasts }) => ({ toasts: [...toasts, { id, text }].slice(-MAX) }))
    setTimeout(
      () => this.state.setState(({ toasts }) => ({ toasts: toasts.filter((other) => other.id !== id) })),
      SHOWN_MS,
    )
  }

  clear(): void {
    this.state.setState({ toasts: [] })
  }
}
