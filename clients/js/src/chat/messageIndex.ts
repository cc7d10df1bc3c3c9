import type { Message } from '../contracts.js'
import type { Thread } from './state.js'

/** Finds a conversation's messages by id. A message keeps its number, so one that was found once is looked up by it. */
export class MessageIndex {
  private readonly seqs = new Map<string, number>()

  find({ messages }: Pick<Thread, 'messages'>, id: string): Message | undefined {
    const known = messages.get(this.seqs.get(id) ?? 0)
    if (known !== undefined) return known
    for (const message of messages.values()) {
      if (message.id !== id) continue
      this.seqs.set(id, message.seq)
      return message
    }
    return undefined
  }
}
