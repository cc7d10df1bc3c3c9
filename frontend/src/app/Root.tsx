import { Suspense } from 'react'
import { BrowserRouter, Navigate, Route, Routes, useLocation } from 'react-router'
import { Toasts } from '@/components/Toasts'
import type { Entry } from '@/lib-react/entry'
import { useAuthState } from '@/lib-react/session'
import { lazily, wordlessly } from '@/lib-react/lazily'
import { Crash } from './Crash'

const SignedOut = lazily(() =>
  import('@/features/session/SessionPage').then((m) => ({ default: m.SessionPage })),
)
const Invited = lazily(() => import('@/features/invites/InvitePage').then((m) => ({ default: m.Invited })))
const SignedIn = wordlessly(() => import('./SignedIn'))

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

const SIGN_IN_PATHS = ['/sign-in', '/register', '/guest']
/** With it an identity provider leads back, to whichever path was wanted. */
const CODE = /^#code=([\w-]+)$/

/**
 * Shows the app or the sign-in page. The path is remembered for after signing in, unless the user signed out: the next
 * one may be another.
 */
function Entrance() {
  const session = useAuthState()
  const location = useLocation()
  const { pathname, search, hash } = location
  const path = isOwnPath(pathname) ? `${pathname}${search}` : '/'
  const code = CODE.exec(hash)?.[1]
  if (session.state === 'signed_in') {
    const { from, then } = (location.state as Entry | null) ?? {}
    if (SIGN_IN_PATHS.includes(pathname)) return <Navigate to={from ?? '/'} state={then} replace />
    if (code !== undefined) return <Navigate to={path} replace />
    return <SignedIn key={session.sessionId} userId={session.user.id} sessionId={session.sessionId} />
  }
  if (code !== undefined) return <Navigate to="/sign-in" state={{ from: path, code }} replace />
  const back = session.ended === 'left' || path === '/' ? null : { from: path }
  return (
    <Routes>
      <Route path="/sign-in" element={<SignedOut mode="sign-in" />} />
      <Route path="/register" element={<SignedOut mode="register" />} />
      <Route path="/guest" element={<SignedOut mode="guest" />} />
      <Route path="/invite/:code" element={<Invited />} />
      <Route path="*" element={<Navigate to="/sign-in" replace state={back} />} />
    </Routes>
  )
}
