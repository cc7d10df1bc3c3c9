import type { MentionHit, Message, SearchHit } from '../contracts.js'
import type { Page, Rest } from '../http.js'
import type { Loader } from './loading.js'

/** So many messages are shown before and after a hit. */
const AROUND = 2

/** Which messages one looks for, beside those with certain words. */
export const SEARCH_FILTERS = ['file', 'link', 'reaction', 'pin', 'mentions'] as const
export type SearchFilter = (typeof SEARCH_FILTERS)[number]

/** Finds messages: in all conversations, or in one. */
export class Search {
  constructor(
    private readonly rest: Rest,
    private readonly loader: Loader,
  ) {}

  /** Return a page of hits, newest first; their senders are loaded. */
  async find(
    wanted: {
      q: string
      conversationId: string | null
      filter: SearchFilter | null
      cursor: string | null
    },
    signal: AbortSignal,
  ): Promise<Page<SearchHit>> {
    const { q, conversationId, filter, cursor } = wanted
    const params = {
      q,
      ...(conversationId !== null && { conversation_id: conversationId }),
      ...(filter === 'mentions' ? { mentions: 'me' } : filter !== null && { has: filter }),
      ...(cursor !== null && { cursor }),
    }
    const page = await this.rest.call<Page<SearchHit>>({ url: '/v1/search/messages', params, signal })
    await this.loader.loadUsers(page.items.map(({ message }) => message.sender_id))
    return page
  }

  /** Return a page of the messages that mention the user, newest first; their senders are loaded. */
  async mentions(cursor: string | null, signal: AbortSignal): Promise<Page<MentionHit>> {
    const params = cursor === null ? {} : { cursor }
    const page = await this.rest.call<Page<MentionHit>>({ url: '/v1/mentions', params, signal })
    await this.loader.loadUsers(page.items.map(({ message }) => message.sender_id))
    return page
  }

  /** Return the messages around a hit, itself among them, ascending. */
  async around({ conversation_id, seq }: Message, signal: AbortSignal): Promise<Message[]> {
    const url = `/v1/conversations/${conversation_id}/messages`
    const params = { after_seq: Math.max(0, seq - AROUND - 1), limit: 2 * AROUND + 1 }
    const { items } = await this.rest.call<Page<Message>>({ url, params, signal })
    await this.loader.loadUsers(items.map(({ sender_id }) => sender_id))
    return items
  }
}
