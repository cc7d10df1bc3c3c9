import { Suspense, useCallback, useEffect, useState } from 'react'
import { MemoryRouter, Route, Routes, useLocation, useMatch, useNavigate } from 'react-router'
import { useStore } from 'zustand'
import { Failed } from '@/components/States'
import { ConversationList } from '@/features/conversations/ConversationList'
import { useCountedUnread } from '@/features/notifications/NotificationKeeper'
import type { HostAuth } from '@/lib/embed/hostAuth'
import type { HostPage } from '@/lib/embed/hostPage'
import type { Start } from '@/lib/embed/messages'
import { CallError, hasCode } from '@synctalk/client/errors'
import type { Conversations } from '@synctalk/client/live/conversations'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText, texts } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'
import { ConnectionLine } from '../ConnectionLine'
import { ConversationPage } from '../ConversationPage'
import { NotFound } from '../NotFound'
import { Session } from '../SignedIn'
import { useEscape } from '../useEscape'

interface ChatProps {
  host: HostPage
  auth: HostAuth
  start: Start
  userId: string
  sessionId: string
}

/** The narrow form of the app: the list or one conversation. Its addresses are nobody else's. */
export default function EmbeddedChat({ host, auth, start, userId, sessionId }: ChatProps) {
  return (
    <Session auth={auth} userId={userId} sessionId={sessionId}>
      <MemoryRouter>
        <Frame host={host} start={start} />
      </MemoryRouter>
    </Session>
  )
}

function Frame({ host, start }: Pick<ChatProps, 'host' | 'start'>) {
  const open = useStore(host.state, (state) => state.open)
  const { pathname } = useLocation()
  const navigate = useNavigate()
  const pane = useMatch('/c/:id/:pane/*')
  const unread = useCountedUnread()
  const wanted = useWanted(start)
  useEscape(pane === null, host.close)
  useEffect(() => host.send({ synctalk: 'unread', count: unread }), [host, unread])
  useEffect(() => {
    // Who opens the panel can write at once.
    if (open) void navigate(pathname, { replace: true, state: { focus: true } })
    // Only opening does it, not each step within.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [open])
  // Nothing is read while nobody can see it.
  if (!open) return null
  return (
    <div className="flex h-dvh flex-col">
      <ConnectionLine />
      <main aria-label={texts.product} className="min-h-0 flex-1">
        <h1 className="sr-only">{texts.product}</h1>
        {wanted.failed === null ? (
          <Suspense>
            <Routes>
              <Route index element={wanted.busy ? null : <List />} />
              <Route path="c/:id" element={<ConversationPage />} />
              <Route path="c/:id/details" element={<ConversationPage pane="details" />} />
              <Route path="c/:id/pins" element={<ConversationPage pane="pins" />} />
              <Route path="c/:id/search" element={<ConversationPage pane="search" />} />
              <Route path="c/:id/thread/:threadId" element={<ConversationPage pane="thread" />} />
              <Route path="c/:id/settings" element={<ConversationPage pane="settings" />} />
              <Route path="*" element={<NotFound />} />
            </Routes>
          </Suspense>
        ) : (
          <div className="flex h-full items-center justify-center">
            <Failed text={wanted.failed} onRetry={wanted.retry} />
          </div>
        )}
      </main>
    </div>
  )
}

const List = () => (
  <section aria-label={texts.conversations.title} className="flex h-full flex-col bg-bg-raised pt-3">
    <ConversationList currentId={null} />
  </section>
)

interface Wanted {
  busy: boolean
  failed: string | null
  retry: () => void
}

/** Lead to the conversation that the page names, by the invite that it has where one is no member. */
function useWanted(start: Start): Wanted {
  const { conversations } = useLive()
  const navigate = useNavigate()
  const [attempt, setAttempt] = useState(0)
  const [busy, setBusy] = useState(start.conversation !== null || start.invite !== null)
  const [failed, setFailed] = useState<string | null>(null)
  useEffect(() => {
    let isOver = false
    find(conversations, start).then(
      (id) => {
        if (isOver) return
        setBusy(false)
        if (id !== null) void navigate(`/c/${id}`, { replace: true, state: { focus: true } })
      },
      (error: unknown) => {
        if (!isOver) setFailed(problemText(error))
      },
    )
    return () => {
      isOver = true
    }
  }, [conversations, start, attempt, navigate])
  const retry = useCallback(() => {
    setFailed(null)
    setAttempt((before) => before + 1)
  }, [])
  return { busy, failed, retry }
}

async function find(conversations: Conversations, { conversation, invite }: Start): Promise<string | null> {
  if (conversation !== null) {
    try {
      return await conversations.find(conversation)
    } catch (error) {
      if (invite === null || !hasCode(error, 'not_found')) throw error
    }
  }
  return invite === null ? null : conversations.acceptInvite(invite)
}

function problemText(error: unknown): string {
  if (!(error instanceof CallError)) return failureText('other')
  return error.code === 'not_found' ? lazyTexts.embed.noMember : failureText(error.code)
}
