import type { Tokens } from '@/contracts'
import type { Auth } from '@/lib/auth/auth'
import { BY_COOKIE } from '@/lib/auth/refresh'
import { request } from '@/lib/http'
import { deviceName } from './device'

export interface Credentials {
  username: string
  password: string
}

export function signIn(auth: Auth, credentials: Credentials): Promise<void> {
  return beginBy(auth, '/v1/auth/login', {
    ...credentials,
    device_name: deviceName(navigator.userAgent),
  })
}

export function register(auth: Auth, credentials: Credentials, displayName: string): Promise<void> {
  return beginBy(auth, '/v1/auth/register', {
    ...credentials,
    ...(displayName === '' ? {} : { display_name: displayName }),
    device_name: deviceName(navigator.userAgent),
  })
}

const beginBy = (auth: Auth, url: string, data: object): Promise<void> =>
  auth.cookieLock.run(async () =>
    auth.begin(await request<Tokens>({ method: 'POST', url, data, headers: BY_COOKIE })),
  )
