import { useSyncExternalStore } from 'react'

const EVERY_MS = 20_000

let current = Date.now()
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  current = Date.now()
  timer ??= setInterval(() => {
    current = Date.now()
    for (const heard of listeners) heard()
  }, EVERY_MS)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** The time for words such as "5 minutes ago"; one clock for all views. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => current)
