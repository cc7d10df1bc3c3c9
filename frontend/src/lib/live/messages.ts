import type { Message } from '@/contracts'
import type { ChatStore } from '@/lib/chat/store'
import type { Connection } from './connection'

/** What a user does with messages that were sent: each call is acked with the message as it is then. */
export class Messages {
  constructor(
    private readonly chat: ChatStore,
    private readonly connection: Connection,
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

  private apply({ message }: { message: Message }): void {
    this.chat.dispatch({ type: 'message', message })
  }
}
