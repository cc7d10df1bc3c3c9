import type { Conversation, Member, Role, User } from '@/contracts'
import type { ChatStore } from '@/lib/chat/store'
import type { Page, Rest } from '@/lib/http'
import type { Freshness } from './freshness'
import type { PresenceSubscriptions } from './presence'

/** What a user does with conversations and members: one method each, applied where the outcome is known. */
export class Conversations {
  constructor(
    private readonly rest: Rest,
    private readonly chat: ChatStore,
    private readonly presence: PresenceSubscriptions,
    private readonly freshness: Freshness,
  ) {}

  startDirect(userId: string): Promise<string> {
    return this.create({ type: 'direct', member_ids: [userId] })
  }

  createGroup(title: string, memberIds: readonly string[]): Promise<string> {
    return this.create({ type: 'group', title, member_ids: memberIds })
  }

  async renameGroup(id: string, title: string): Promise<void> {
    const conversation = await this.rest.call<Conversation>({
      method: 'PATCH',
      url: `/v1/conversations/${id}`,
      data: { title },
    })
    this.chat.dispatch({ type: 'conversation', conversation })
  }

  async addMembers(id: string, userIds: readonly string[]): Promise<void> {
    const asOf = this.chat.thread(id).progress?.upTo ?? 0
    const { items: members } = await this.rest.call<Page<Member>>({
      method: 'POST',
      url: `/v1/conversations/${id}/members`,
      data: { user_ids: userIds },
    })
    this.chat.dispatch({ type: 'members', conversation_id: id, members, asOf, complete: null })
    this.presence.resubscribe(userIds)
    this.freshness.refreshSoon(id)
  }

  async setRole(id: string, userId: string, role: Role): Promise<void> {
    const url = `/v1/conversations/${id}/members/${userId}`
    await this.rest.call<Member>({ method: 'PATCH', url, data: { role } })
    this.freshness.refreshSoon(id)
  }

  removeMember(id: string, userId: string): Promise<void> {
    return this.rest.call<void>({ method: 'DELETE', url: `/v1/conversations/${id}/members/${userId}` })
  }

  async leaveGroup(id: string): Promise<void> {
    await this.removeMember(id, this.chat.me)
    this.chat.dispatch({ type: 'removed', conversation_id: id, change_seq: null })
  }

  async searchUsers(search: string, signal: AbortSignal): Promise<User[]> {
    const params = { search, limit: 20 }
    const { items } = await this.rest.call<Page<User>>({ url: '/v1/users', params, signal })
    this.chat.dispatch({ type: 'users', users: items })
    return items
  }

  private async create(data: object): Promise<string> {
    const conversation = await this.rest.call<Conversation>({
      method: 'POST',
      url: '/v1/conversations',
      data,
    })
    this.chat.dispatch({ type: 'conversation', conversation })
    this.presence.resubscribe(conversation.peer === null ? [] : [conversation.peer.id])
    return conversation.id
  }
}
