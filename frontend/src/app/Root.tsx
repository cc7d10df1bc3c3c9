import { Suspense } from 'react'
import { BrowserRouter, Navigate, Route, Routes, useLocation } from 'react-router'
import { Toasts } from '@/components/Toasts'
import { useAuthState } from '@/lib-react/session'
import { lazily } from '@/lib-react/lazily'
import { Crash } from './Crash'

const SignedOut = lazily(() =>
  import('@/features/session/SessionPage').then((m) => ({ default: m.SessionPage })),
)
const SignedIn = lazily(() => import('./SignedIn'))

/** `//host/x` would lead to another host; the browser refuses it, and the page would break. */
const isOwnPath = (path: string): boolean => /^\/(?![/\\])/.test(path)

export function Root() {
  return (
    <Crash>
      <BrowserRouter>
        <Suspense>
          <Entrance />
        </Suspense>
      </BrowserRouter>
      <Toasts />
    </Crash>
  )
}

/**
 * Shows the app or the sign-in page. The path is remembered for after signing in, unless the user signed out: the next
 * one may be another.
 */
function Entrance() {
  const session = useAuthState()
  const location = useLocation()
  if (session.state === 'signed_in') {
    const from = (location.state as { from?: string } | null)?.from
    const isSignIn = location.pathname === '/sign-in' || location.pathname === '/register'
    if (isSignIn) return <Navigate to={from ?? '/'} replace />
    return <SignedIn key={session.sessionId} userId={session.user.id} sessionId={session.sessionId} />
  }
  const { pathname, search } = location
  const back = session.ended === 'left' || !isOwnPath(pathname) ? null : { from: `${pathname}${search}` }
  return (
    <Routes>
      <Route path="/sign-in" element={<SignedOut mode="sign-in" />} />
      <Route path="/register" element={<SignedOut mode="register" />} />
      <Route path="*" element={<Navigate to="/sign-in" replace state={back} />} />
    </Routes>
  )
}
