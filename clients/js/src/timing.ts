/** Return how long to wait before try number `attempt` (0 first): doubling from `baseMs` up to `maxMs`, half of it random. */
export function backoffMs(attempt: number, baseMs = 500, maxMs = 10_000, random = Math.random): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 16))
  return ceiling / 2 + (random() * ceiling) / 2
}

/** Wait; an abort ends the wait at once. */
export const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done)
  })

/** One timeout at a time. After an abort it neither starts nor does its work. */
export class Timer {
  private handle: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly signal: AbortSignal) {}

  /** Start it, unless it is running. */
  start(ms: number, work: () => void): void {
    if (this.handle !== undefined || this.signal.aborted) return
    this.handle = setTimeout(() => {
      this.handle = undefined
      if (!this.signal.aborted) work()
    }, ms)
  }

  restart(ms: number, work: () => void): void {
    this.clear()
    this.start(ms, work)
  }

  clear(): void {
    clearTimeout(this.handle)
    this.handle = undefined
  }
}
