import { useStore } from 'zustand'
import { usePage } from '@/lib-react/page'

export function Toasts() {
  const toasts = useStore(usePage().toasts.state, (state) => state.toasts)
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
