import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { Suspense, useEffect } from 'react'
import { BrowserRouter, Navigate, Route, Routes, useLocation } from 'react-router'
import { Toasts } from '@/components/Toasts'
import { isPassing } from '@/lib/errors'
import { useSession } from '@/lib/session/session'
import { lazily } from '@/lib/lazily'
import { Crash } from './Crash'

const SignedOut = lazily(() =>
  import('@/features/session/SessionPage').then((m) => ({ default: m.SessionPage })),
)
const SignedIn = lazily(() => import('./SignedIn'))

const MAX_RETRIES = 3

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => isPassing(error) && failures < MAX_RETRIES,
      refetchOnWindowFocus: false,
    },
  },
})

export function Root() {
  return (
    <Crash>
      <QueryClientProvider client={queries}>
        <BrowserRouter>
          <Suspense>
            <Entrance />
          </Suspense>
        </BrowserRouter>
        <Toasts />
      </QueryClientProvider>
    </Crash>
  )
}

/**
 * Signed in or out decides what there is to see. The way back after signing in is remembered, unless the person left:
 * the next one may be another.
 */
function Entrance() {
  const session = useSession()
  const location = useLocation()
  const userId = session.state === 'signed_in' ? session.user.id : null
  useEffect(() => {
    if (userId === null) queries.clear()
  }, [userId])
  if (session.state === 'signed_in') {
    const from = (location.state as { from?: string } | null)?.from
    const atDoor = location.pathname === '/sign-in' || location.pathname === '/register'
    if (atDoor) return <Navigate to={from ?? '/'} replace />
    return <SignedIn key={session.sessionId} userId={session.user.id} />
  }
  const back = session.ended === 'left' ? null : { from: location.pathname }
  return (
    <Routes>
      <Route path="/sign-in" element={<SignedOut mode="sign-in" />} />
      <Route path="/register" element={<SignedOut mode="register" />} />
      <Route path="*" element={<Navigate to="/sign-in" replace state={back} />} />
    </Routes>
  )
}
