import { Suspense, useEffect, useState, type ReactNode } from 'react'
import { Route, Routes, useMatch } from 'react-router'
import { usePage } from '@/lib-react/page'
import { useChat } from '@/lib-react/chat'
import { LiveSessionContext, useAuth, useLive } from '@/lib-react/session'
import type { SessionAuth } from '@synctalk/client/auth/auth'
import { LiveSession } from '@synctalk/client/live/session'
import { loadFileViews } from '@/features/messages/files/FilesPlace'
import { NotificationKeeper } from '@/features/notifications/NotificationKeeper'
import { texts } from '@/lib/text/texts'
import { lazilyAsking, loadQueries } from '@/lib-react/asking'
import { QueryBox, QueryBoxContext } from '@/lib-react/queryBox'
import { lazily } from '@/lib-react/lazily'
import { ConnectionLine } from './ConnectionLine'
import { ConversationPage } from './ConversationPage'
import { NotFound } from './NotFound'
import { Sidebar } from './Sidebar'
import { useDropGuard } from './useDropGuard'
import { useShortcuts } from './useShortcuts'
import { Welcome } from './Welcome'

const SettingsPage = lazilyAsking(() => import('@/features/settings/SettingsPage'))
const MentionsPage = lazilyAsking(() => import('@/features/search/MentionsPage'))
const ThreadsPage = lazilyAsking(() => import('@/features/threads/ThreadsPage'))
const SearchPage = lazilyAsking(() => import('@/features/search/SearchPage'))
const ChannelsPage = lazilyAsking(() => import('@/features/groups/ChannelsPage'))
const InvitePage = lazily(() =>
  import('@/features/invites/InvitePage').then((m) => ({ default: m.InvitePage })),
)
const loadPalette = () => import('@/features/palette/Palette')
const Palette = lazilyAsking(loadPalette)
const ShortcutHelp = lazily(() => import('@/features/palette/ShortcutHelp'))
const loadWorker = () => import('@/lib/push/worker')
const loadLastSeen = () => import('@synctalk/client/live/lastSeen')
const loadStarting = () => import('@/features/conversations/NewConversation')
const NewDirect = lazilyAsking(() => loadStarting().then((m) => ({ default: m.NewDirect })))
const NewGroup = lazilyAsking(() => loadStarting().then((m) => ({ default: m.NewGroup })))

/** The page itself comes first, also over a slow line. */
const PRELOAD_AFTER_MS = 2_000

interface SignedInProps {
  userId: string
  sessionId: string
}

/** The app of one signed-in user. */
export default function SignedIn(session: SignedInProps) {
  return (
    <Session auth={useAuth()} {...session}>
      <Frame />
    </Session>
  )
}

interface SessionProps extends SignedInProps {
  auth: SessionAuth
  children: ReactNode
}

/** What views of one signed-in user stand on. Mounted anew for each session, and nothing that it has outlives it. */
export function Session({ auth, userId, sessionId, children }: SessionProps) {
  const [queries] = useState(() => new QueryBox())
  const live = useLiveSession(auth, userId, sessionId)
  if (live === null) return null
  return (
    <QueryBoxContext value={queries}>
      <LiveSessionContext value={live}>{children}</LiveSessionContext>
    </QueryBoxContext>
  )
}

/** Start a session, and stop it with the view. */
function useLiveSession(auth: SessionAuth, userId: string, sessionId: string): LiveSession | null {
  const { toasts } = usePage()
  const [live, setLive] = useState<LiveSession | null>(null)
  useEffect(() => {
    const session = new LiveSession(auth, userId, sessionId)
    session.start()
    // Views can only show what this effect has started.
    // eslint-disable-next-line react-hooks/set-state-in-effect
    setLive(session)
    return () => {
      session.stop()
      toasts.clear()
    }
  }, [auth, userId, sessionId, toasts])
  return live
}

/** What is answered by typing at once must be there before it is wanted. */
function usePreloaded(): void {
  const listed = useChat((state) => state.listed)
  const live = useLive()
  useEffect(() => {
    if (!listed) return
    const timer = setTimeout(() => {
      // Should it fail, it is tried again when it is wanted.
      Promise.all([
        loadPalette(),
        loadStarting(),
        loadFileViews(),
        loadQueries(),
        loadWorker().then(({ registerWorker }) => registerWorker()),
        loadLastSeen().then(({ keepLastSeen }) => keepLastSeen(live.chat, live.sessionId, live.signal)),
      ]).catch(() => undefined)
    }, PRELOAD_AFTER_MS)
    return () => clearTimeout(timer)
  }, [listed, live])
}

/** The list, and beside it what was chosen; on phones one of the two. */
function Frame() {
  const [palette, setPalette] = useState(false)
  const [help, setHelp] = useState(false)
  const conversation = useMatch('/c/:id/*')
  const settings = useMatch('/settings')
  const search = useMatch('/search')
  const channels = useMatch('/channels')
  const invite = useMatch('/invite/:code')
  const mentions = useMatch('/mentions')
  const threads = useMatch('/threads')
  const id = conversation?.params.id ?? null
  const listIsView =
    id === null &&
    mentions === null &&
    threads === null &&
    settings === null &&
    search === null &&
    channels === null &&
    invite === null
  usePreloaded()
  useDropGuard()
  useShortcuts(
    () => setPalette((open) => !open),
    () => setHelp((open) => !open),
  )
  return (
    <div className="flex h-dvh flex-col">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:m-2 focus:rounded-control focus:bg-bg-float focus:px-3 focus:py-2 focus:shadow-float"
      >
        {texts.skipToConversation}
      </a>
      <ConnectionLine />
      <main className="flex min-h-0 flex-1">
        <h1 className="sr-only">{texts.product}</h1>
        <Sidebar currentId={id} shown={listIsView} />
        <div id="main" className={`min-w-0 flex-1 ${listIsView ? 'hidden md:block' : ''}`}>
          <Suspense>
            <Routes>
              <Route index element={<Welcome />} />
              <Route path="new/*" element={<Welcome />} />
              <Route path="c/:id" element={<ConversationPage />} />
              <Route path="c/:id/details" element={<ConversationPage pane="details" />} />
              <Route path="c/:id/pins" element={<ConversationPage pane="pins" />} />
              <Route path="c/:id/search" element={<ConversationPage pane="search" />} />
              <Route path="c/:id/thread/:threadId" element={<ConversationPage pane="thread" />} />
              <Route path="c/:id/settings" element={<ConversationPage pane="settings" />} />
              <Route path="channels" element={<ChannelsPage />} />
              <Route path="invite/:code" element={<InvitePage />} />
              <Route path="mentions" element={<MentionsPage />} />
              <Route path="threads" element={<ThreadsPage />} />
              <Route path="search" element={<SearchPage />} />
              <Route path="settings" element={<SettingsPage />} />
              <Route path="*" element={<NotFound />} />
            </Routes>
          </Suspense>
        </div>
      </main>
      <Suspense>
        <Routes>
          <Route path="new" element={<NewDirect />} />
          <Route path="new/group" element={<NewGroup />} />
          <Route path="*" element={null} />
        </Routes>
        {palette && <Palette onClose={() => setPalette(false)} onHelp={() => setHelp(true)} />}
        {help && <ShortcutHelp onClose={() => setHelp(false)} />}
      </Suspense>
      <NotificationKeeper />
    </div>
  )
}
