/**
 * Events on their way to the app. It is bounded by its producers, who look at `isFull` before they put what can be had
 * again; an app that is slower than its events therefore gets them later, by sync, and loses none.
 */
import type { Cursor, Event } from './events.js'

const MAX_EVENTS = 5_000

/** An event, and how far its conversation is known to whoever has dealt with it. */
export interface Step {
  event: Event
  /** `cursor` null: the conversation is not followed any more. */
  known?: { conversationId: string; cursor: Cursor | null }
}

export class EventQueue {
  private steps: Step[] = []
  /** Taken ones of `steps` are dropped together: one by one, a long queue would be copied each time. */
  private taken = 0
  private arrived: (() => void) | null = null

  constructor(private readonly onSpace: () => void) {}

  private get size(): number {
    return this.steps.length - this.taken
  }

  get isFull(): boolean {
    return this.size >= MAX_EVENTS
  }

  put(...steps: Step[]): void {
    this.steps.push(...steps)
    if (this.size > 0) this.wake()
  }

  /** Return the oldest; null: there is none. */
  take(): Step | null {
    const step = this.steps[this.taken]
    if (step === undefined) {
      this.steps = []
      this.taken = 0
      return null
    }
    this.taken += 1
    if (this.size === MAX_EVENTS / 2) this.onSpace()
    return step
  }

  /** Wait for one, or to be woken. */
  wait(): Promise<void> {
    return new Promise((resolve) => (this.arrived = resolve))
  }

  wake(): void {
    this.arrived?.()
    this.arrived = null
  }
}
