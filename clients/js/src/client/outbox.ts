/**
 * Messages that outlive the process: each is in a store from before it is sent until the server has it or refuses it.
 *
 * What an earlier run left goes out first, in the order in which it was written, and with the same ids: what the server
 * has got of it, it drops by them. An error that is no refusal (the session is over, the client was closed) ends the
 * outbox: nothing may overtake what stays in the store for the next run.
 */
import type { Message } from '../contracts.js'
import { CallError, hasCode, isPassing } from '../errors.js'
import type { NewMessage } from './rest.js'
import type { Turns } from './turns.js'

/** A message on its way, as it is stored. */
export interface OutgoingMessage extends NewMessage {
  conversation_id: string
  /** Only as this user is it sent. */
  sender_id: string
}

/** Where messages on their way are stored. For one client at a time. */
export interface OutboxStore {
  /** Return what is in it, in the order of the `put`s. Called once, before anything else. */
  load(): Promise<OutgoingMessage[]>
  /** Resolve once the message is stored for good. A failure fails its `send`. */
  put(message: OutgoingMessage): Promise<void>
  remove(clientMessageId: string): Promise<void>
}

/** Gets each message of an earlier run that the server refuses for good, before it is removed. */
export type OnRefused = (message: OutgoingMessage, error: CallError) => void | Promise<void>

/** The server does not take this message. With a token that is refused it has not looked at it. */
const isRefusal = (error: unknown): error is CallError =>
  error instanceof CallError && !isPassing(error) && !hasCode(error, 'unauthenticated', 'token_expired')

export class Outbox {
  /** By `client_message_id`. */
  private readonly underWay = new Map<string, Promise<Message>>()
  private ended: { by: unknown } | null = null

  constructor(
    private readonly store: OutboxStore,
    private readonly turns: Turns,
    /** Sends by however many tries it takes. */
    private readonly deliver: (message: OutgoingMessage) => Promise<Message>,
    private readonly onRefused: OnRefused,
  ) {}

  /** Begin to send what an earlier run of this user left. */
  async open(userId: string): Promise<void> {
    for (const message of await this.store.load()) if (message.sender_id === userId) this.resend(message)
  }

  /** Store a message, and send it; one with the id of one that is under way is that one. */
  send(message: OutgoingMessage): Promise<Message> {
    const known = this.underWay.get(message.client_message_id)
    if (known !== undefined) return known
    const stored = this.store.put(message)
    // Its turn may come later than its failure, which is nobody's until then.
    stored.catch(() => undefined)
    return this.begin(message, async () => {
      await stored
      return this.settle(message)
    })
  }

  /** Wait until nothing is under way. Throws what ended the outbox. */
  async flush(): Promise<void> {
    await this.turns.idle()
    if (this.ended !== null) throw this.ended.by
  }

  private resend(message: OutgoingMessage): void {
    this.begin(message, () => this.settle(message, this.onRefused)).catch((error: unknown) => {
      if (!isRefusal(error) && error !== this.ended?.by) throw error
    })
  }

  private begin(message: OutgoingMessage, work: () => Promise<Message>): Promise<Message> {
    const { conversation_id, client_message_id } = message
    const sent = this.turns.take(conversation_id, work)
    this.underWay.set(client_message_id, sent)
    const forget = (): boolean => this.underWay.delete(client_message_id)
    sent.then(forget, forget)
    return sent
  }

  private async settle(message: OutgoingMessage, onRefused?: OnRefused): Promise<Message> {
    const sent = await this.delivered(message, onRefused)
    await this.remove(message)
    return sent
  }

  private async delivered(message: OutgoingMessage, onRefused?: OnRefused): Promise<Message> {
    if (this.ended !== null) throw this.ended.by
    try {
      return await this.deliver(message)
    } catch (error) {
      if (isRefusal(error)) {
        await onRefused?.(message, error)
        await this.remove(message)
      } else this.ended = { by: error }
      throw error
    }
  }

  /** What can't be removed is only sent once more by the next run, and dropped. */
  private remove({ client_message_id }: OutgoingMessage): Promise<void> {
    return this.store.remove(client_message_id).catch(() => undefined)
  }
}
