/** Messages that are read while they are written: their text comes in pieces, outside of the order of changes. */
import type { Message, MessageDeltaToClient } from '../contracts.js'
import type { ChatStore } from '../chat/store.js'
import type { Loader } from './loading.js'

const lengthOf = (text: string): number => [...text].length

export class Streams {
  constructor(
    private readonly chat: ChatStore,
    private readonly loader: Pick<Loader, 'loadMessage'>,
  ) {}

  /** Add a piece to its message; where pieces before it are missing the message is loaded. */
  take({ conversation_id, message_id, at, text }: MessageDeltaToClient): void {
    const message = this.find(conversation_id, message_id)
    if (message?.streaming !== true) return
    if (at > lengthOf(message.body)) {
      // Should it fail, the next piece tries again, and the end brings the whole text.
      this.loader.loadMessage(conversation_id, message_id).catch(() => undefined)
      return
    }
    this.chat.dispatch({ type: 'delta', conversation_id, seq: message.seq, at, text })
  }

  /** Whether this is the end of a message that was being written. */
  isEndOf({ conversation_id, id, streaming }: Message): boolean {
    return streaming !== true && this.find(conversation_id, id)?.streaming === true
  }

  private find(conversationId: string, messageId: string): Message | undefined {
    return this.chat.index.find(this.chat.thread(conversationId), messageId)
  }
}
