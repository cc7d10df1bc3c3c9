/** Calls about groups that change nothing of what the session keeps. */
import type { User } from '@synctalk/client/contracts'
import type { Page, Rest } from '@synctalk/client/http'

/** A public group, as everybody sees it. */
export interface Channel {
  id: string
  title: string
  description: string
  avatar_url: string | null
  members_count: number
  created_at: string
  joined: boolean
}

export interface Invite {
  code: string
  url: string
  expires_at: string | null
  max_uses: number | null
  uses: number
  created_by: string
  created_at: string
}

export interface Ban {
  user: User
  by: string
  reason: string
  until: string | null
  created_at: string
}

const MAX_PAGES = 10

export function listChannels(
  rest: Rest,
  search: string,
  cursor: string | null,
  signal: AbortSignal,
): Promise<Page<Channel>> {
  const params = { ...(search !== '' && { search }), ...(cursor !== null && { cursor }), limit: 30 }
  return rest.call<Page<Channel>>({ url: '/v1/channels', params, signal })
}

async function all<T>(rest: Rest, url: string): Promise<T[]> {
  const found: T[] = []
  for await (const items of rest.pages<T>(url, { limit: 100 }, MAX_PAGES)) found.push(...items)
  return found
}

export const listInvites = async (rest: Rest, id: string): Promise<Invite[]> =>
  (await all<Invite>(rest, `/v1/conversations/${id}/invites`)).reverse()

export interface NewInvite {
  expires_in_s?: number
  max_uses?: number
}

export const createInvite = (rest: Rest, id: string, data: NewInvite): Promise<Invite> =>
  rest.call<Invite>({ method: 'POST', url: `/v1/conversations/${id}/invites`, data })

export const deleteInvite = (rest: Rest, id: string, code: string): Promise<void> =>
  rest.call<void>({ method: 'DELETE', url: `/v1/conversations/${id}/invites/${code}` })

export const listBans = (rest: Rest, id: string): Promise<Ban[]> =>
  all<Ban>(rest, `/v1/conversations/${id}/bans`)

export const liftBan = (rest: Rest, id: string, userId: string): Promise<void> =>
  rest.call<void>({ method: 'DELETE', url: `/v1/conversations/${id}/bans/${userId}` })
