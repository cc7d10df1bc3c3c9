import type { Conversation, Member, Message, User } from '../contracts.js'
import type { ChatStore } from '../chat/store.js'
import { earlyConversations } from '../early.js'
import type { Page, Rest } from '../http.js'

const PAGE = 100
/** The first page is small, to be there at once; the further ones are as large as they may be. */
const FIRST_PAGE = 50
/** At most so many conversations are listed; older ones are found by their link. */
const MAX_LIST_PAGES = 20
const MAX_MEMBER_PAGES = 10

type Bound = { before_seq?: number; after_seq?: number }

/** Reads by REST into the store: the list, one conversation, its history, its members, users. */
export class Loader {
  private readonly membersLoading = new Map<string, Promise<void>>()
  private readonly messagesLoading = new Map<string, Promise<void>>()

  constructor(
    private readonly rest: Rest,
    private readonly chat: ChatStore,
  ) {}

  /** Load the whole list, page by page, so that the first is seen at once; then what the user has hidden. */
  async loadConversations(): Promise<void> {
    const first = await earlyConversations(this.chat.me)
    const url = '/v1/conversations'
    for await (const items of this.rest.pages<Conversation>(url, { limit: PAGE }, MAX_LIST_PAGES, first)) {
      this.takeConversations(items)
    }
    const hidden = { limit: PAGE, hidden: true }
    for await (const items of this.rest.pages<Conversation>(url, hidden, MAX_LIST_PAGES)) {
      this.takeConversations(items)
    }
  }

  private takeConversations(items: readonly Conversation[]): void {
    this.chat.dispatch(...items.map((conversation) => ({ type: 'conversation' as const, conversation })), {
      type: 'listed',
    })
  }

  async loadConversation(id: string): Promise<void> {
    const conversation = await this.rest.call<Conversation>({ url: `/v1/conversations/${id}` })
    this.chat.dispatch({ type: 'conversation', conversation })
  }

  /** Load the history again: the page around `seq`, or the newest when it is null. */
  async loadHistory(id: string, around: number | null): Promise<void> {
    const bound = around === null ? {} : { after_seq: Math.max(0, around - FIRST_PAGE / 2) }
    const messages = await this.readHistory(id, bound, around === null ? FIRST_PAGE : PAGE)
    this.chat.dispatch({ type: 'history', conversation_id: id, messages, mode: 'replace' })
  }

  async loadOlder(id: string): Promise<void> {
    const { range } = this.chat.thread(id)
    if (range === null || range.from <= 1) return
    const messages = await this.readHistory(id, { before_seq: range.from }, PAGE)
    this.chat.dispatch({ type: 'history', conversation_id: id, messages, mode: 'extend' })
  }

  async loadNewer(id: string): Promise<void> {
    const { range } = this.chat.thread(id)
    if (range === null) return
    const messages = await this.readHistory(id, { after_seq: range.to }, PAGE)
    if (messages.length === 0) return
    this.chat.dispatch({ type: 'history', conversation_id: id, messages, mode: 'extend' })
  }

  /** Load one message, wherever it is in the history; concurrent calls share one load. */
  loadMessage(conversationId: string, id: string): Promise<void> {
    const running = this.messagesLoading.get(id)
    if (running !== undefined) return running
    const started = this.readMessage(conversationId, id).finally(() => this.messagesLoading.delete(id))
    this.messagesLoading.set(id, started)
    return started
  }

  /** Load all members with their marks; concurrent calls share one load. */
  loadMembers(id: string): Promise<void> {
    const running = this.membersLoading.get(id)
    if (running !== undefined) return running
    const started = this.readMembersUntilComplete(id).finally(() => this.membersLoading.delete(id))
    this.membersLoading.set(id, started)
    return started
  }

  /** Load the users that are not known yet. */
  async loadUsers(ids: readonly string[]): Promise<void> {
    const { users } = this.chat.current
    const unknown = [...new Set(ids)].filter((id) => users[id] === undefined)
    for (let start = 0; start < unknown.length; start += PAGE)
      this.chat.dispatch({ type: 'users', users: await this.readUsers(unknown.slice(start, start + PAGE)) })
  }

  /** Load users, known or not; what came of them meanwhile is newer, and stays. */
  async reloadUsers(ids: readonly string[]): Promise<void> {
    for (let start = 0; start < ids.length; start += PAGE) {
      const { users: before } = this.chat.current
      const read = await this.readUsers(ids.slice(start, start + PAGE))
      const { users: now } = this.chat.current
      this.chat.dispatch({ type: 'users', users: read.filter(({ id }) => now[id] === before[id]) })
    }
  }

  private async readUsers(ids: readonly string[]): Promise<User[]> {
    const params = { ids: ids.join(',') }
    return (await this.rest.call<Page<User>>({ url: '/v1/users', params })).items
  }

  private async readMessage(conversationId: string, id: string): Promise<void> {
    const url = `/v1/conversations/${conversationId}/messages/${id}`
    this.chat.dispatch({ type: 'message', message: await this.rest.call<Message>({ url }) })
  }

  private async readHistory(id: string, bound: Bound, limit: number): Promise<Message[]> {
    const url = `/v1/conversations/${id}/messages`
    return (await this.rest.call<Page<Message>>({ url, params: { ...bound, limit } })).items
  }

  /** Receipts that were missed while the members were being read are read too. */
  private async readMembersUntilComplete(id: string): Promise<void> {
    do await this.readMembers(id)
    while (this.chat.thread(id).marksReadAt < this.chat.thread(id).marksMissed)
  }

  private async readMembers(id: string): Promise<void> {
    const { progress, marksMissed } = this.chat.thread(id)
    const asOf = progress?.upTo ?? 0
    const url = `/v1/conversations/${id}/members`
    for await (const members of this.rest.pages<Member>(url, { limit: PAGE }, MAX_MEMBER_PAGES)) {
      this.chat.dispatch({ type: 'members', conversation_id: id, members, asOf, complete: null })
    }
    this.chat.dispatch({
      type: 'members',
      conversation_id: id,
      members: [],
      asOf,
      complete: { marksMissed },
    })
  }
}
