import { Suspense, useEffect, useState } from 'react'
import { Route, Routes, useMatch } from 'react-router'
import { NotificationKeeper } from '@/features/notifications/NotificationKeeper'
import { useChat, useMe } from '@/lib/chat/store'
import { openDrafts } from '@/lib/drafts'
import { startLive } from '@/lib/live/live'
import { texts } from '@/lib/text/texts'
import { lazily } from '@/lib/lazily'
import { ConnectionLine } from './ConnectionLine'
import { ConversationPage } from './ConversationPage'
import { NotFound } from './NotFound'
import { Sidebar } from './Sidebar'
import { useShortcuts } from './useShortcuts'
import { Welcome } from './Welcome'

const SettingsPage = lazily(() => import('@/features/settings/SettingsPage'))
const loadPalette = () => import('@/features/palette/Palette')
const Palette = lazily(loadPalette)
const loadStarting = () => import('@/features/conversations/NewConversation')
const NewDirect = lazily(() => loadStarting().then((m) => ({ default: m.NewDirect })))
const NewGroup = lazily(() => loadStarting().then((m) => ({ default: m.NewGroup })))

const PRELOAD_AFTER_MS = 300

/** Everything there is for a person who is signed in. Mounted anew for each session. */
export default function SignedIn({ userId }: { userId: string }) {
  useEffect(() => {
    const stopLive = startLive(userId)
    const closeDrafts = openDrafts(userId)
    return () => {
      stopLive()
      closeDrafts()
    }
  }, [userId])
  // The store is this person's only once it was started for them.
  return useMe() === userId ? <Frame /> : null
}

/** What is answered by typing at once must be there before it is wanted. */
function usePreloaded(): void {
  const listed = useChat((state) => state.listed)
  useEffect(() => {
    if (!listed) return
    const timer = setTimeout(() => {
      // Should it fail, it is tried again when it is wanted.
      Promise.all([loadPalette(), loadStarting()]).catch(() => undefined)
    }, PRELOAD_AFTER_MS)
    return () => clearTimeout(timer)
  }, [listed])
}

/** The list, and beside it what was chosen; on phones one of the two. */
function Frame() {
  const [palette, setPalette] = useState(false)
  const conversation = useMatch('/c/:id/*')
  const settings = useMatch('/settings')
  const id = conversation?.params.id ?? null
  const listIsView = id === null && settings === null
  usePreloaded()
  useShortcuts(() => setPalette((open) => !open))
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
              <Route path="c/:id/details" element={<ConversationPage details />} />
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
        {palette && <Palette onClose={() => setPalette(false)} />}
      </Suspense>
      <NotificationKeeper />
    </div>
  )
}
