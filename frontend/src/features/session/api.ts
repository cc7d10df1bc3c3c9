import type { Tokens } from '@/contracts'
import { eraseDrafts } from '@/lib/drafts'
import { call, callOpenly } from '@/lib/http'
import { eraseOutbox } from '@/lib/live/outbox'
import { begin, leave, useSession } from '@/lib/session/session'
import { deviceName } from './device'

export interface Credentials {
  username: string
  password: string
}

export async function signIn(credentials: Credentials): Promise<void> {
  const data = { ...credentials, device_name: deviceName(navigator.userAgent) }
  begin(await callOpenly<Tokens>({ method: 'POST', url: '/v1/auth/login', data }))
}

export async function register(credentials: Credentials, displayName: string): Promise<void> {
  const data = {
    ...credentials,
    ...(displayName === '' ? {} : { display_name: displayName }),
    device_name: deviceName(navigator.userAgent),
  }
  begin(await callOpenly<Tokens>({ method: 'POST', url: '/v1/auth/register', data }))
}

/** What this person wrote and did not send goes too: the next one at this machine shall not find it. */
export async function signOut(): Promise<void> {
  const session = useSession.getState()
  // Without a connection the session ends here all the same; its keys are forgotten.
  await call<void>({ method: 'POST', url: '/v1/auth/logout' }).catch(() => undefined)
  leave()
  if (session.state !== 'signed_in') return
  eraseDrafts(session.user.id)
  await eraseOutbox(session.user.id).catch(() => undefined)
}
