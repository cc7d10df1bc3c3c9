/** How long to wait before try number `attempt` (0 first): doubling from `baseMs` up to `maxMs`, half of it random. */
export function backoffMs(attempt: number, baseMs = 500, maxMs = 10_000, random = Math.random): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 16))
  return ceiling / 2 + (random() * ceiling) / 2
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
