/** What a person does to conversations and members: one function for each, applied where it is known to have happened. */
import type { Conversation, Member, Role, User } from '@/contracts'
import { dispatch, threadOf } from '@/lib/chat/store'
import { call, type Page } from '@/lib/http'
import { refreshSoon } from '@/lib/live/freshness'
import { askAgain } from '@/lib/live/presence'

async function create(data: object): Promise<string> {
  const conversation = await call<Conversation>({ method: 'POST', url: '/v1/conversations', data })
  dispatch({ type: 'conversation', conversation })
  askAgain(conversation.peer === null ? [] : [conversation.peer.id])
  return conversation.id
}

export const startDirect = (userId: string): Promise<string> =>
  create({ type: 'direct', member_ids: [userId] })

export const createGroup = (title: string, memberIds: readonly string[]): Promise<string> =>
  create({ type: 'group', title, member_ids: memberIds })

export async function renameGroup(id: string, title: string): Promise<void> {
  const conversation = await call<Conversation>({
    method: 'PATCH',
    url: `/v1/conversations/${id}`,
    data: { title },
  })
  dispatch({ type: 'conversation', conversation })
}

export async function addMembers(id: string, userIds: readonly string[]): Promise<void> {
  const asOf = threadOf(id).progress?.upTo ?? 0
  const url = `/v1/conversations/${id}/members`
  const { items } = await call<Page<Member>>({ method: 'POST', url, data: { user_ids: userIds } })
  dispatch({ type: 'members', conversation_id: id, members: items, asOf, complete: null })
  askAgain(userIds)
  refreshSoon(id)
}

export async function setRole(id: string, userId: string, role: Role): Promise<void> {
  const url = `/v1/conversations/${id}/members/${userId}`
  await call<Member>({ method: 'PATCH', url, data: { role } })
  refreshSoon(id)
}

export const removeMember = (id: string, userId: string): Promise<void> =>
  call<void>({ method: 'DELETE', url: `/v1/conversations/${id}/members/${userId}` })

export async function leaveGroup(id: string, me: string): Promise<void> {
  await removeMember(id, me)
  dispatch({ type: 'removed', conversation_id: id, change_seq: null })
}

export async function searchPeople(search: string, signal: AbortSignal): Promise<User[]> {
  const { items } = await call<Page<User>>({ url: '/v1/users', params: { search, limit: 20 }, signal })
  dispatch({ type: 'users', users: items })
  return items
}
