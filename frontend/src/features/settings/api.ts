import type { Session, User } from '@/contracts'
import { dispatch } from '@/lib/chat/store'
import { call, pages } from '@/lib/http'
import { rename } from '@/lib/session/session'

const MAX_PAGES = 5

export async function listSessions(): Promise<Session[]> {
  const sessions: Session[] = []
  for await (const items of pages<Session>('/v1/auth/sessions', { limit: 100 }, MAX_PAGES))
    sessions.push(...items)
  return sessions.sort(
    (a, b) => Number(b.current) - Number(a.current) || (a.last_used_at < b.last_used_at ? 1 : -1),
  )
}

export const endSession = (sessionId: string): Promise<void> =>
  call<void>({ method: 'DELETE', url: `/v1/auth/sessions/${sessionId}` })

export const changePassword = (current_password: string, new_password: string): Promise<void> =>
  call<void>({ method: 'POST', url: '/v1/auth/password', data: { current_password, new_password } })

export async function changeName(display_name: string): Promise<void> {
  const user = await call<User>({ method: 'PATCH', url: '/v1/users/me', data: { display_name } })
  dispatch({ type: 'users', users: [user] })
  rename(user)
}
