import type { Message, MessageEphemeralToClient } from '../contracts.js'
import type { Metadata, RestApi } from '../client/rest.js'
import { freshId } from '../ids.js'
import type { MessageOutcome } from './models.js'

export interface ServerMessageOptions {
  /** What has the same one is sent once, however often it is repeated. */
  clientMessageId?: string
  metadata?: Metadata
}

/** One message of a batch, with the fields of the interface. */
export interface BatchedMessage {
  sender: string
  body: string
  client_message_id?: string
  silent?: boolean
  metadata?: Metadata
}

/**
 * `Server.messages`: messages that the app sends, edits and deletes by itself (scope `messages`).
 *
 * Conversations and users are given by id, or by `external(…)`.
 */
export class ServerMessages {
  constructor(private readonly rest: RestApi) {}

  /** Send a message as a member; nobody gets a push for a silent one. */
  send(
    conversation: string,
    sender: string,
    body: string,
    { silent = false, ...options }: ServerMessageOptions & { silent?: boolean } = {},
  ): Promise<Message> {
    return this.post(conversation, { sender, body, silent }, options)
  }

  /** Let the conversation itself say something, which no member has sent; `what` is for the app's own clients. */
  say(
    conversation: string,
    body: string,
    what: Metadata = {},
    options: ServerMessageOptions = {},
  ): Promise<Message> {
    return this.post(conversation, { body, system: { type: 'custom', ...what } }, options)
  }

  /** Say something to the members who are there now; it is stored nowhere. */
  sendEphemeral(
    conversation: string,
    sender: string,
    body: string,
    options: ServerMessageOptions = {},
  ): Promise<MessageEphemeralToClient> {
    return this.post(conversation, { sender, body, ephemeral: true }, options)
  }

  /** Send up to 100 messages in this order; what is wrong with one stops no other. */
  async sendAll(conversation: string, messages: readonly BatchedMessage[]): Promise<MessageOutcome[]> {
    const named = messages.map((message) => ({ client_message_id: freshId(), ...message }))
    const call = { method: 'POST', path: pathOf(conversation), json: { messages: named } } as const
    return (await this.rest.call<{ items: MessageOutcome[] }>(call, { repeatable: true })).items
  }

  /** Change the text of any message. */
  edit(conversation: string, messageId: string, body: string): Promise<Message> {
    return this.rest.call({ method: 'PATCH', path: messageOf(conversation, messageId), json: { body } })
  }

  /** Delete any message. */
  delete(conversation: string, messageId: string): Promise<void> {
    return this.rest.call({ method: 'DELETE', path: messageOf(conversation, messageId) })
  }

  private post<T>(
    conversation: string,
    message: object,
    { clientMessageId = freshId(), metadata = {} }: ServerMessageOptions,
  ): Promise<T> {
    const json = { client_message_id: clientMessageId, metadata, ...message }
    return this.rest.call({ method: 'POST', path: pathOf(conversation), json }, { repeatable: true })
  }
}

const pathOf = (conversation: string): string =>
  `/v1/server/conversations/${encodeURIComponent(conversation)}/messages`
const messageOf = (conversation: string, messageId: string): string =>
  `/v1/conversations/${encodeURIComponent(conversation)}/messages/${encodeURIComponent(messageId)}`
