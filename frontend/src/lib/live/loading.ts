/** Reading what is there by REST: the list, one conversation, its history, its members, people. */
import type { Conversation, Member, Message, User } from '@/contracts'
import { dispatch, threadOf, useChat } from '@/lib/chat/store'
import { call, pages, type Page } from '@/lib/http'

const PAGE = 100
/** The first page is small, to be there at once; the further ones are as large as they may be. */
const FIRST_PAGE = 50
/** At most so many conversations are listed; older ones are found by their link. */
const MAX_LIST_PAGES = 20
const MAX_MEMBER_PAGES = 10

/** The whole list, page by page, so that the first is seen at once. */
export async function loadConversations(): Promise<void> {
  for await (const items of pages<Conversation>('/v1/conversations', { limit: PAGE }, MAX_LIST_PAGES)) {
    dispatch(...items.map((conversation) => ({ type: 'conversation' as const, conversation })), {
      type: 'listed',
    })
  }
}

export async function loadConversation(id: string): Promise<Conversation> {
  const conversation = await call<Conversation>({ url: `/v1/conversations/${id}` })
  dispatch({ type: 'conversation', conversation })
  return conversation
}

type Bound = { before_seq?: number; after_seq?: number }

const readHistory = (id: string, bound: Bound, limit: number): Promise<Page<Message>> =>
  call<Page<Message>>({ url: `/v1/conversations/${id}/messages`, params: { ...bound, limit } })

/** Load anew: the page around `seq`, or the newest when there is none to stay at. */
export async function loadHistory(id: string, around: number | null): Promise<void> {
  const bound = around === null ? {} : { after_seq: Math.max(0, around - FIRST_PAGE / 2) }
  const { items } = await readHistory(id, bound, around === null ? FIRST_PAGE : PAGE)
  dispatch({ type: 'history', conversation_id: id, messages: items, mode: 'replace' })
}

export async function loadOlder(id: string): Promise<void> {
  const { range } = threadOf(id)
  if (range === null || range.from <= 1) return
  const { items } = await readHistory(id, { before_seq: range.from }, PAGE)
  dispatch({ type: 'history', conversation_id: id, messages: items, mode: 'extend' })
}

export async function loadNewer(id: string): Promise<void> {
  const { range } = threadOf(id)
  if (range === null) return
  const { items } = await readHistory(id, { after_seq: range.to }, PAGE)
  if (items.length > 0) dispatch({ type: 'history', conversation_id: id, messages: items, mode: 'extend' })
}

const membersLoading = new Map<string, Promise<void>>()

/** All members with their marks; who asks while it runs waits for the same answer. */
export function loadMembers(id: string): Promise<void> {
  const running = membersLoading.get(id)
  if (running !== undefined) return running
  const started = readMembersUntilComplete(id).finally(() => membersLoading.delete(id))
  membersLoading.set(id, started)
  return started
}

/** What was missed while they were being read is read too. */
async function readMembersUntilComplete(id: string): Promise<void> {
  do await readMembers(id)
  while (threadOf(id).marksReadAt < threadOf(id).marksMissed)
}

async function readMembers(id: string): Promise<void> {
  const { progress, marksMissed } = threadOf(id)
  const asOf = progress?.upTo ?? 0
  for await (const members of pages<Member>(
    `/v1/conversations/${id}/members`,
    { limit: PAGE },
    MAX_MEMBER_PAGES,
  )) {
    dispatch({ type: 'members', conversation_id: id, members, asOf, complete: null })
  }
  dispatch({ type: 'members', conversation_id: id, members: [], asOf, complete: { marksMissed } })
}

/** People whose names are needed and not known yet. */
export async function loadUsers(ids: readonly string[]): Promise<void> {
  const { users } = useChat.getState()
  const unknown = [...new Set(ids)].filter((id) => users[id] === undefined)
  for (let start = 0; start < unknown.length; start += PAGE) {
    const params = { ids: unknown.slice(start, start + PAGE).join(',') }
    const { items } = await call<Page<User>>({ url: '/v1/users', params })
    dispatch({ type: 'users', users: items })
  }
}
