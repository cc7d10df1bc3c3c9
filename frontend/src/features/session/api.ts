import type { Auth } from '@/lib/auth/auth'
import { deviceName } from '@/lib/auth/device'
import { beginBy } from '@/lib/auth/entry'

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

/** `inviteCode`: where accounts are only for those who have one. */
export function register(
  auth: Auth,
  credentials: Credentials,
  displayName: string,
  inviteCode: string | null,
): Promise<void> {
  return beginBy(auth, '/v1/auth/register', {
    ...credentials,
    ...(displayName === '' ? {} : { display_name: displayName }),
    ...(inviteCode === null ? {} : { invite_code: inviteCode }),
    device_name: deviceName(navigator.userAgent),
  })
}
