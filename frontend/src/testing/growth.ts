import { expect } from 'vitest'

const SHORT = 2_000
const LONG = 8_000
/** Four times the text takes four times as long; where each part is read again for each other part, sixteen times. */
const LINEAR = 9
/** Not felt, whatever it grew from. */
const NOTHING_MS = 0.5
const RUNS = 20

/**
 * How many times as long a text of 8,000 characters takes as one of 2,000, the least of several runs of both; 0 where
 * it takes nothing. A ratio, since what else this machine does slows both.
 */
function growth(read: (length: number) => void): number {
  const least = { short: Infinity, long: Infinity }
  let ratio = Infinity
  for (let run = 0; run < RUNS && ratio > LINEAR; run += 1) {
    least.short = Math.min(
      least.short,
      milliseconds(() => read(SHORT)),
    )
    least.long = Math.min(
      least.long,
      milliseconds(() => read(LONG)),
    )
    ratio = least.long <= NOTHING_MS ? 0 : least.long / least.short
  }
  return ratio
}

export function expectLinear(read: (text: string) => void, textOf: (length: number) => string): void {
  expect(growth((length) => read(textOf(length)))).toBeLessThanOrEqual(LINEAR)
}

function milliseconds(work: () => void): number {
  const start = performance.now()
  work()
  return performance.now() - start
}
