import type { Message, Revision } from '../contracts.js'
import type { ChatStore } from '../chat/store.js'
import type { Page, Rest } from '../http.js'
import type { Connection } from './connection.js'

/** More than anybody pins, and changes one message. */
const MAX_PAGES = 5
const PAGE = 100

const urlOf = ({ conversation_id, id }: Message): string =>
  `/v1/conversations/${conversation_id}/messages/${id}`

/** What a user does with messages that were sent: each call is acked with the message as it is then. */
export class Messages {
  constructor(
    private readonly chat: ChatStore,
    private readonly connection: Connection,
    private readonly rest: Rest,
  ) {}

  async edit({ conversation_id, id: message_id }: Message, body: string): Promise<void> {
    this.apply(await this.connection.request('message:edit', { conversation_id, message_id, body }))
  }

  async delete({ conversation_id, id: message_id }: Message): Promise<void> {
    this.apply(await this.connection.request('message:delete', { conversation_id, message_id }))
  }

  /** React with an emoji, or take that reaction back. */
  async react({ conversation_id, id: message_id }: Message, emoji: string, on: boolean): Promise<void> {
    const event = on ? 'reaction:add' : 'reaction:remove'
    this.apply(await this.connection.request(event, { conversation_id, message_id, emoji }))
  }

  /** Pin a message for everybody, or take it off; the event that follows shows it. */
  pin(message: Message, on: boolean): Promise<void> {
    return this.rest.call<void>({ method: on ? 'PUT' : 'DELETE', url: `${urlOf(message)}/pin` })
  }

  /** Load all pinned messages of a conversation; events keep them up to date. */
  async loadPins(conversationId: string): Promise<void> {
    const url = `/v1/conversations/${conversationId}/pins`
    for await (const pinned of this.rest.pages<Message>(url, { limit: PAGE }, MAX_PAGES))
      this.chat.dispatch(...pinned.map((message) => ({ type: 'message' as const, message })))
  }

  /** Return the earlier texts of a message, the oldest first. */
  async revisions(message: Message): Promise<Revision[]> {
    const revisions: Revision[] = []
    for await (const items of this.rest.pages<Revision>(
      `${urlOf(message)}/revisions`,
      { limit: PAGE },
      MAX_PAGES,
    ))
      revisions.push(...items)
    return revisions
  }

  /** Return the number of the first message at or after this time; null where there is none. */
  async firstSince(conversationId: string, at: Date): Promise<number | null> {
    const url = `/v1/conversations/${conversationId}/messages`
    const { items } = await this.rest.call<Page<Message>>({ url, params: { at: at.toISOString(), limit: 1 } })
    return items[0]?.seq ?? null
  }

  private apply({ message }: { message: Message }): void {
    this.chat.dispatch({ type: 'message', message })
  }
}
