import { useEffect, useRef } from 'react'
import { useNavigate } from 'react-router'
import { completeSignIn } from '@synctalk/client/auth/entry'
import { hasCode } from '@synctalk/client/errors'
import { lazyTexts } from '@/lib/text/lazyTexts'
import type { Entry } from '@/lib-react/entry'
import { useAuth } from '@/lib-react/session'

/** An identity provider has led back: its code, which works once, becomes a session. */
export function Completing({ entry, code }: { entry: Entry; code: string }) {
  const auth = useAuth()
  const navigate = useNavigate()
  const begun = useRef<string | null>(null)
  useEffect(() => {
    if (begun.current === code) return
    begun.current = code
    const { from } = entry
    completeSignIn(auth, code).catch((error: unknown) => {
      const why = hasCode(error, 'forbidden')
        ? 'forbidden'
        : hasCode(error, 'unavailable')
          ? 'unavailable'
          : 'failed'
      void navigate(`/sign-in?error=${why}`, { replace: true, state: from === undefined ? null : { from } })
    })
  }, [auth, code, entry, navigate])
  return (
    <p role="status" className="py-6 text-message text-text-muted">
      {lazyTexts.session.completing}
    </p>
  )
}
