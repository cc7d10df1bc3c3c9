import { Suspense, useEffect, useState } from 'react'
import { useStore } from 'zustand'
import { Button } from '@/components/Button'
import { Bone, Empty, Failed, Loading } from '@/components/States'
import { COLORS, isColor } from '@/lib/embed/colors'
import { isRefusal, type HostAuth } from '@/lib/embed/hostAuth'
import type { HostPage } from '@/lib/embed/hostPage'
import type { Start } from '@/lib/embed/messages'
import { CallError } from '@synctalk/client/errors'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText, texts } from '@/lib/text/texts'
import { lazily } from '@/lib-react/lazily'
import { usePage } from '@/lib-react/page'
import { useAuthState } from '@/lib-react/session'
import { useEscape } from '../useEscape'

const EmbeddedChat = lazily(() => import('./EmbeddedChat'))

const t = lazyTexts.embed

interface EmbeddedProps {
  host: HostPage
  auth: HostAuth
}

/** The web client in a page of somebody else's. Nothing is shown or asked for until that page has spoken. */
export function Embedded({ host, auth }: EmbeddedProps) {
  const start = useStore(host.state, (state) => state.start)
  return start === null ? null : <Started host={host} auth={auth} start={start} />
}

function Started({ host, auth, start }: EmbeddedProps & { start: Start }) {
  const session = useAuthState()
  useLook(start)
  if (session.state !== 'signed_in') return <Entering host={host} auth={auth} />
  return (
    <Suspense fallback={<Bones />}>
      <EmbeddedChat
        key={session.sessionId}
        host={host}
        auth={auth}
        start={start}
        userId={session.user.id}
        sessionId={session.sessionId}
      />
    </Suspense>
  )
}

/** Signs in as whoever the page says; what stands in the way is shown. */
function Entering({ host, auth }: EmbeddedProps) {
  const [attempt, setAttempt] = useState(0)
  const [problem, setProblem] = useState<unknown>(null)
  useEscape(true, host.close)
  useEffect(() => host.send({ synctalk: 'unread', count: 0 }), [host])
  useEffect(() => {
    auth.enter().catch(setProblem)
  }, [auth, attempt])
  function retry(): void {
    setProblem(null)
    setAttempt(attempt + 1)
  }
  if (problem === null) return <Bones />
  return (
    <main aria-label={texts.product} className="flex h-dvh flex-col justify-center">
      {isRefusal(problem) ? (
        <Empty icon="lock" title={t.signIn} lead={t.signInLead}>
          <Button onClick={retry}>{t.signedIn}</Button>
        </Empty>
      ) : (
        <Failed text={failureText(problem instanceof CallError ? problem.code : 'other')} onRetry={retry} />
      )}
    </main>
  )
}

const Bones = () => (
  <Loading>
    <div className="flex h-14 items-center gap-3 border-b border-border px-5">
      <Bone className="size-8 rounded-full!" />
      <Bone className="h-4 w-40" />
    </div>
  </Loading>
)

/** The theme and the colours that the page chose; what is no colour is left out. */
function useLook({ theme, colors }: Start): void {
  const page = usePage()
  useEffect(() => {
    const { style, dataset } = document.documentElement
    if (theme === 'light' || theme === 'dark') dataset.theme = theme
    else page.theme.start()
    for (const [name, variables] of Object.entries(COLORS)) {
      const color = colors[name]
      if (typeof color !== 'string' || !isColor(color)) continue
      for (const [variable, value] of Object.entries(variables)) {
        style.setProperty(variable, value.replace('*', color))
      }
    }
  }, [page, theme, colors])
}
