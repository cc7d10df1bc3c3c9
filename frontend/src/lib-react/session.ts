/** How views reach the services: the page's `Auth`, and the `LiveSession` of who is signed in. */
import { createContext, useContext } from 'react'
import { useStore } from 'zustand'
import type { Auth, AuthState } from '@/lib/auth/auth'
import type { LiveSession } from '@/lib/live/session'

export const AuthContext = createContext<Auth | null>(null)
export const LiveSessionContext = createContext<LiveSession | null>(null)

export function useAuth(): Auth {
  const auth = useContext(AuthContext)
  if (auth === null) throw new Error('There is no AuthContext here.')
  return auth
}

export const useAuthState = (): AuthState => useStore(useAuth().state)

/** Whether the user is a guest, who finds nobody and begins nothing. */
export const useIsGuest = (): boolean =>
  useStore(useAuth().state, (state) => state.state === 'signed_in' && state.user.is_guest === true)

export function useLive(): LiveSession {
  const live = useContext(LiveSessionContext)
  if (live === null) throw new Error('There is no LiveSessionContext here.')
  return live
}
