import { createStore, type StoreApi } from 'zustand/vanilla'
import { Timer } from '../timing.js'
import type { Connection, ConnectionState } from './connection.js'

/** A short interruption is not shown. */
const GRACE_MS = 1_500

/** Follow whether the connection has been lost for so long that it is shown: what others do is not known then. */
export function followCutOff(connection: Connection, signal: AbortSignal): StoreApi<{ cutOff: boolean }> {
  const store = createStore(() => ({ cutOff: false }))
  const timer = new Timer(signal)
  const setCutOff = (): void => store.setState({ cutOff: true })

  function follow({ state }: ConnectionState): void {
    if (state === 'connecting') return
    if (state === 'waiting') return timer.start(navigator.onLine ? GRACE_MS : 0, setCutOff)
    timer.clear()
    store.setState({ cutOff: false })
  }

  connection.state.subscribe(follow)
  window.addEventListener('offline', () => connection.state.getState().state === 'waiting' && setCutOff(), {
    signal,
  })
  return store
}
