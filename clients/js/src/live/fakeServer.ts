/** The server's end of the socket, for tests: what the client emits waits here for its ack. */
import { vi } from 'vitest'
import { ChatStore } from '../chat/store.js'
import { Connection } from './connection.js'

interface Emitted {
  event: string
  payload: { conversation_id?: string; delivered?: object; read?: object }
  ack: (error: Error | null, payload: unknown) => void
}

export const server = {
  emitted: [] as Emitted[],
  /** Send an event to the client. */
  send: (_event: string, _payload: object): void => undefined,
}

/** Only what is used of the stock client. */
export const fakeSocket = {
  on: () => fakeSocket,
  off: () => fakeSocket,
  once: () => fakeSocket,
  offAny: () => fakeSocket,
  onAny: (listener: typeof server.send) => (server.send = listener),
  connect: () => fakeSocket,
  disconnect: () => fakeSocket,
  timeout: () => ({
    emit: (event: string, payload: Emitted['payload'], ack: Emitted['ack']) =>
      server.emitted.push({ event, payload, ack }),
  }),
}

/** Return what a session has at its core, not connected yet. */
export function newCore(abort = new AbortController()) {
  const { signal } = abort
  const chat = new ChatStore('me')
  const connection = new Connection(() => Promise.resolve('token'), vi.fn(), signal)
  return { abort, signal, chat, connection }
}

/** Open the connection, and send `ready`. */
export function goLive(connection: Connection): void {
  connection.open()
  server.send('ready', { connection_id: 'one' })
}

/** Ack what is in flight after a while of the fake clock, and return what it was. */
export async function ackAll(ackOf: (emitted: Emitted) => object): Promise<Emitted[]> {
  await vi.advanceTimersByTimeAsync(5_000)
  const acked = server.emitted.splice(0)
  for (const emitted of acked) emitted.ack(null, ackOf(emitted))
  await vi.advanceTimersByTimeAsync(0)
  return acked
}
