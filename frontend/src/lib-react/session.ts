/** How views reach the services: the page's `Auth`, and the `LiveSession` of who is signed in. */
import { createContext, useContext } from 'react'
import { useStore, type StoreApi } from 'zustand'
import type { Auth, AuthState } from '@synctalk/client/auth/auth'
import type { LiveSession } from '@synctalk/client/live/session'

export const AuthContext = createContext<Auth | null>(null)
/** Who is signed in, where there is no `Auth` of our own page. */
export const AuthStateContext = createContext<StoreApi<AuthState> | null>(null)
export const LiveSessionContext = createContext<LiveSession | null>(null)

export function useAuth(): Auth {
  const auth = useContext(AuthContext)
  if (auth === null) throw new Error('There is no AuthContext here.')
  return auth
}

function useAuthStore(): StoreApi<AuthState> {
  const embedded = useContext(AuthStateContext)
  const own = useContext(AuthContext)?.state
  const store = embedded ?? own
  if (store === undefined) throw new Error('There is no AuthContext here.')
  return store
}

export const useAuthState = (): AuthState => useStore(useAuthStore())

/** Whether the user is a guest, who finds nobody and begins nothing. */
export const useIsGuest = (): boolean =>
  useStore(useAuthStore(), (state) => state.state === 'signed_in' && state.user.is_guest === true)

export function useLive(): LiveSession {
  const live = useContext(LiveSessionContext)
  if (live === null) throw new Error('There is no LiveSessionContext here.')
  return live
}
