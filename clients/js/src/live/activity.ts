import type { Connection } from './connection.js'

export const IDLE_AFTER_MS = 5 * 60_000
const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'focus'] as const

/** Notify the server whether the user uses this page: an unused device must not suppress a push to another. */
export function followActivity(
  connection: Pick<Connection, 'notify' | 'subscribe'>,
  signal: AbortSignal,
): void {
  let isActive = document.visibilityState === 'visible'
  let idle: ReturnType<typeof setTimeout> | undefined

  function become(next: boolean): void {
    if (next === isActive) return
    isActive = next
    connection.notify('activity', { active: isActive })
  }

  function used(): void {
    clearTimeout(idle)
    if (document.visibilityState === 'hidden') return become(false)
    idle = setTimeout(() => become(false), IDLE_AFTER_MS)
    become(true)
  }

  // A new connection counts as active until the server is notified otherwise.
  connection.subscribe(({ event }) => {
    if (event === 'ready') connection.notify('activity', { active: isActive })
  })
  for (const sign of SIGNS) window.addEventListener(sign, used, { passive: true, signal })
  document.addEventListener('visibilitychange', used, { signal })
  signal.addEventListener('abort', () => clearTimeout(idle))
  used()
}
