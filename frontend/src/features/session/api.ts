import type { Auth } from '@synctalk/client/auth/auth'
import { deviceName } from '@synctalk/client/auth/device'
import { beginBy } from '@synctalk/client/auth/entry'

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
