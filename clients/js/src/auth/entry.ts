/** The ways in: what the server offers, and what begins a session. */
import type { Tokens } from '../contracts.js'
import { request } from '../http.js'
import type { Auth } from './auth.js'
import { deviceName } from './device.js'
import { BY_COOKIE } from './refresh.js'

/** What the sign-in page offers. */
export interface Providers {
  password: boolean
  registration: 'open' | 'invite' | 'closed'
  guests: boolean
  items: { id: string; name: string; start_url: string }[]
}

/** What is offered until the server has said more. */
export const PASSWORD_ALONE: Providers = { password: true, registration: 'open', guests: false, items: [] }

export const readProviders = (): Promise<Providers> => request<Providers>({ url: '/v1/auth/providers' })

/** Where an identity provider's page begins, and leads back to. */
export const startAt = (startUrl: string, returnTo: string): string =>
  `${startUrl}?return_to=${encodeURIComponent(returnTo)}`

/** Make a call that returns tokens, and begin the session. */
export const beginBy = (auth: Auth, url: string, data: object): Promise<void> =>
  auth.cookieLock.run(async () =>
    auth.begin(await request<Tokens>({ method: 'POST', url, data, headers: BY_COOKIE })),
  )

/** Exchange the one-time code with which an identity provider leads back. */
export const completeSignIn = (auth: Auth, code: string): Promise<void> =>
  beginBy(auth, '/v1/auth/oidc/complete', { code, device_name: deviceName(navigator.userAgent) })

export const enterAsGuest = (auth: Auth, displayName: string): Promise<void> =>
  beginBy(auth, '/v1/auth/guest', displayName === '' ? {} : { display_name: displayName })
