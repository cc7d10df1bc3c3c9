import type { Message } from '@synctalk/client/contracts'
import type { User } from './users'

/** Writes one message bit by bit, as an assistant does. */
export class Stream {
  private at = 0

  private constructor(
    private readonly writer: User,
    private readonly message: Message,
  ) {}

  static async start(writer: User, id: string): Promise<Stream> {
    const data = { client_message_id: `stream-${id}`, body: '' }
    return new Stream(
      writer,
      await writer.call<Message>('POST', `/v1/conversations/${id}/messages/stream`, data),
    )
  }

  async append(text: string): Promise<void> {
    await this.writer.call('PATCH', `${this.url}/stream`, { at: this.at, text })
    this.at += [...text].length
  }

  async end(): Promise<void> {
    await this.writer.call('POST', `${this.url}/stream/end`, {})
  }

  private get url(): string {
    return `/v1/conversations/${this.message.conversation_id}/messages/${this.message.id}`
  }
}
