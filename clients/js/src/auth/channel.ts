import type { EndReason } from '../contracts.js'

const CHANNEL = 'synctalk.session'

export interface Access {
  token: string
  session_id: string
  /** By this machine's clock, in milliseconds. */
  expires_at: number
}

export type SessionEvent =
  | { type: 'changed' }
  | { type: 'renewed'; access: Access }
  | { type: 'ended'; reason: EndReason; session_id: string }

/** Events about the session between the tabs of one browser. */
export class SessionChannel {
  private readonly channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(CHANNEL)

  publish(event: SessionEvent): void {
    this.channel?.postMessage(event)
  }

  subscribe(listener: (event: SessionEvent) => void): () => void {
    const onMessage = (event: MessageEvent<SessionEvent>): void => listener(event.data)
    this.channel?.addEventListener('message', onMessage)
    return () => this.channel?.removeEventListener('message', onMessage)
  }
}
