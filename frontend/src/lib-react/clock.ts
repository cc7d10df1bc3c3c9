const EVERY_MS = 20_000

/** The time for words such as "5 minutes ago"; one clock for all views, which stands still while none looks. */
export class Clock {
  private current = Date.now()
  private readonly listeners = new Set<() => void>()
  private timer: ReturnType<typeof setInterval> | undefined

  readonly now = (): number => this.current

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    this.current = Date.now()
    this.timer ??= setInterval(() => {
      this.current = Date.now()
      for (const notify of this.listeners) notify()
    }, EVERY_MS)
    return () => {
      this.listeners.delete(listener)
      if (this.listeners.size > 0) return
      clearInterval(this.timer)
      this.timer = undefined
    }
  }
}
