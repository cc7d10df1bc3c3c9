import { create } from 'zustand'

/** For what needs no answer; errors that one can act on stand beside what failed. */
interface Toast {
  id: number
  text: string
}

const SHOWN_MS = 3_500
const MAX = 3

const useToasts = create<{ toasts: readonly Toast[] }>(() => ({ toasts: [] }))
let nextId = 1

export function toast(text: string): void {
  const id = nextId++
  useToasts.setState(({ toasts }) => ({ toasts: [...toasts, { id, text }].slice(-MAX) }))
  setTimeout(
    () => useToasts.setState(({ toasts }) => ({ toasts: toasts.filter((other) => other.id !== id) })),
    SHOWN_MS,
  )
}

export function Toasts() {
  const toasts = useToasts((state) => state.toasts)
  return (
    <div
      role="status"
      aria-live="polite"
      className="pointer-events-none fixed inset-x-0 bottom-6 z-60 flex flex-col items-center gap-2 px-4"
    >
      {toasts.map(({ id, text }) => (
        <p key={id} className="animate-rise rounded-card bg-text px-4 py-2.5 text-meta text-bg shadow-float">
          {text}
        </p>
      ))}
    </div>
  )
}
