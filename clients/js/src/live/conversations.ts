import type { AxiosRequestConfig } from 'axios'
import type { Conversation, Member, Role, User } from '../contracts.js'
import type { ChatStore } from '../chat/store.js'
import type { Page, Rest } from '../http.js'
import type { Freshness } from './freshness.js'
import type { PresenceSubscriptions } from './presence.js'

export type Visibility = NonNullable<Conversation['visibility']>

export type GroupChange = Partial<
  Pick<Conversation, 'title' | 'description' | 'avatar_url' | 'visibility' | 'posting' | 'slow_mode_s'>
>

export interface OwnStateChange {
  pinned?: boolean
  hidden?: boolean
  unread?: true
}

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

  createGroup(title: string, memberIds: readonly string[], visibility: Visibility): Promise<string> {
    return this.create({ type: 'group', title, member_ids: memberIds, visibility, system_messages: true })
  }

  /** Change a group's details; what is left out stays as it is. */
  async changeGroup(id: string, data: GroupChange): Promise<void> {
    await this.take({ method: 'PATCH', url: `/v1/conversations/${id}`, data })
  }

  async setArchived(id: string, archived: boolean): Promise<void> {
    await this.rest.call<void>({
      method: archived ? 'PUT' : 'DELETE',
      url: `/v1/conversations/${id}/archive`,
    })
    this.freshness.refreshSoon(id)
  }

  /** Delete a group for everybody. */
  async deleteGroup(id: string): Promise<void> {
    await this.rest.call<void>({ method: 'DELETE', url: `/v1/conversations/${id}` })
    this.chat.dispatch({ type: 'removed', conversation_id: id, change_seq: null })
  }

  /** Pin, hide or mark a conversation unread, for oneself alone. */
  async setOwnState(id: string, data: OwnStateChange): Promise<void> {
    await this.take({ method: 'PATCH', url: `/v1/conversations/${id}/me`, data })
  }

  /** Become a member of a public group. */
  async join(id: string): Promise<void> {
    await this.take({ method: 'POST', url: `/v1/conversations/${id}/join` })
  }

  /** Return the id of the conversation of this id, or of this `external:` name. */
  find(reference: string): Promise<string> {
    return this.take({ url: `/v1/conversations/${encodeURIComponent(reference)}` })
  }

  /** Come into a group by an invite. */
  acceptInvite(code: string): Promise<string> {
    return this.take({ method: 'POST', url: `/v1/invites/${encodeURIComponent(code)}/accept` })
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

  private create(data: object): Promise<string> {
    return this.take({ method: 'POST', url: '/v1/conversations', data })
  }

  /** Make a call that returns a conversation, and keep it. */
  private async take(config: AxiosRequestConfig): Promise<string> {
    const conversation = await this.rest.call<Conversation>(config)
    this.chat.dispatch({ type: 'conversation', conversation })
    this.presence.resubscribe(conversation.peer === null ? [] : [conversation.peer.id])
    return conversation.id
  }
}
