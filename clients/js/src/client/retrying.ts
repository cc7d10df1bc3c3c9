import { isPassing } from '../errors.js'
import { backoffMs, sleep } from '../timing.js'

/**
 * Repeat a call that is safe to repeat, until it succeeds, is refused for good, or no time is left for another try.
 *
 * Throws what the last try threw.
 */
export async function retrying<T>(
  call: () => Promise<T>,
  giveUpAfterMs: number,
  signal?: AbortSignal,
): Promise<T> {
  const until = Date.now() + giveUpAfterMs
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call()
    } catch (error) {
      if (!isPassing(error) || signal?.aborted === true) throw error
      const named = error.retryAfterMs
      const waitMs = named === undefined ? backoffMs(attempt) : named * (1 + Math.random() / 10)
      if (Date.now() + waitMs > until) throw error
      await sleep(waitMs, signal)
    }
  }
}
