/**
 * The page that embeds us, as the frame sees it. Messages are taken only from the window around the frame and from an
 * origin that is allowed, and go to that origin alone.
 */
import { createStore } from 'zustand/vanilla'
import { backoffMs, sleep } from '@synctalk/client/timing'
import { kindOf, type Given, type Start, type ToFrame, type ToPage } from './messages'

export interface HostState {
  /** Null until the page has spoken. */
  start: Start | null
  open: boolean
}

const ANY = '*'

export class HostPage {
  readonly state = createStore<HostState>(() => ({ start: null, open: false }))
  private origin: string | null = null
  private answer: ((given: Given) => void) | null = null
  private readonly allowed = readAllowed()

  listen(): void {
    window.addEventListener('message', (event: MessageEvent<unknown>) => {
      if (event.source === window.parent && event.source !== window) void this.check(event)
    })
  }

  /** Ask the page for a token; one question at a time. */
  readonly ask = (): Promise<Given> =>
    new Promise((resolve) => {
      this.answer = resolve
      this.send({ synctalk: 'token-wanted' })
    })

  readonly close = (): void => this.send({ synctalk: 'close' })

  send(message: ToPage): void {
    if (this.origin !== null) window.parent.postMessage(message, this.origin)
  }

  private async check({ origin, data }: MessageEvent<unknown>): Promise<void> {
    const allowed = await this.allowed
    if (!allowed.includes(origin) && !allowed.includes(ANY)) return
    if (kindOf(data) === null || (this.origin ?? origin) !== origin) return
    this.origin = origin
    this.receive(data as ToFrame)
  }

  private receive(message: ToFrame): void {
    switch (message.synctalk) {
      case 'start':
        this.state.setState({ start: message, open: message.open })
        break
      case 'shown':
        this.state.setState({ open: message.open })
        break
      case 'token':
        this.answer?.(message.given)
        this.answer = null
    }
  }
}

/** The origins that may have us in a frame, and our own. */
async function readAllowed(): Promise<readonly string[]> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await fetch('/embed/origins')
      if (response.ok) return [window.location.origin, ...(await response.text()).split(' ')]
    } catch {
      // Without a connection: again.
    }
    await sleep(backoffMs(attempt))
  }
}
