import type { Session, User } from '@synctalk/client/contracts'
import type { Auth } from '@synctalk/client/auth/auth'
import type { Rest } from '@synctalk/client/http'
import type { LiveSession } from '@synctalk/client/live/session'

const MAX_PAGES = 5

export async function listSessions(rest: Rest): Promise<Session[]> {
  const sessions: Session[] = []
  for await (const items of rest.pages<Session>('/v1/auth/sessions', { limit: 100 }, MAX_PAGES))
    sessions.push(...items)
  return sessions.sort(
    (a, b) => Number(b.current) - Number(a.current) || (a.last_used_at < b.last_used_at ? 1 : -1),
  )
}

export const endSession = (rest: Rest, sessionId: string): Promise<void> =>
  rest.call<void>({ method: 'DELETE', url: `/v1/auth/sessions/${sessionId}` })

export const changePassword = (rest: Rest, current_password: string, new_password: string): Promise<void> =>
  rest.call<void>({ method: 'POST', url: '/v1/auth/password', data: { current_password, new_password } })

type Profile = Partial<Pick<User, 'display_name' | 'avatar_url'>>

export async function changeProfile(live: LiveSession, auth: Auth, profile: Profile): Promise<void> {
  const user = await live.rest.call<User>({ method: 'PATCH', url: '/v1/users/me', data: profile })
  live.chat.dispatch({ type: 'users', users: [user] })
  auth.rename(user)
}

export type LastSeenVisible = 'everyone' | 'contacts' | 'nobody'

/** What a user has chosen to be shown as; here only who sees when they were last seen. */
export interface PresenceSettings {
  last_seen_visible: LastSeenVisible
}

export const readPresenceSettings = (rest: Rest): Promise<PresenceSettings> =>
  rest.call<PresenceSettings>({ url: '/v1/presence/me' })

export const setLastSeenVisible = (rest: Rest, last_seen_visible: LastSeenVisible): Promise<void> =>
  rest.call<void>({ method: 'PUT', url: '/v1/presence/me', data: { last_seen_visible } })
