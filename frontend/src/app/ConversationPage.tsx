import { Suspense, useCallback, useEffect, useMemo, useState } from 'react'
import { Navigate, useLocation, useNavigate, useParams } from 'react-router'
import type { Message } from '@synctalk/client/contracts'
import { Bone, Failed, Loading } from '@/components/States'
import { useToast } from '@/lib-react/page'
import { useChat, useSummary, useThread } from '@/lib-react/chat'
import { ConversationHead } from '@/features/conversations/ConversationHead'
import { ConversationView } from '@/features/messages/ConversationView'
import { useUnsent } from '@/features/messages/useUnsent'
import { titleOf } from '@/lib/chat/names'
import { isThreadOnly, pathOf } from '@synctalk/client/chat/replies'
import { may } from '@synctalk/client/chat/rights'
import { threadIn } from '@synctalk/client/chat/store'
import { CallError } from '@synctalk/client/errors'
import { failureText, texts } from '@/lib/text/texts'
import { lazilyAsking } from '@/lib-react/asking'
import { lazily } from '@/lib-react/lazily'
import { useLive } from '@/lib-react/session'
import { useEscape } from './useEscape'

const LeftBehind = lazily(() => import('@/features/messages/LeftBehind'))
const ConversationSearch = lazilyAsking(() => import('@/features/search/ConversationSearch'))
const GroupSettings = lazilyAsking(() => import('@/features/groups/GroupSettings'))
const ThreadPane = lazily(() => import('@/features/messages/thread/ThreadPane'))
const PinsPane = lazily(() => import('@/features/messages/PinsPane'))
const DetailsPane = lazilyAsking(() =>
  import('@/features/conversations/DetailsPane').then((m) => ({ default: m.DetailsPane })),
)

/** What is beside a conversation, or over it on narrow screens. */
type Pane = 'details' | 'pins' | 'search' | 'settings' | 'thread' | null

/** One conversation by its address. */
export function ConversationPage({ pane = null }: { pane?: Pane }) {
  const { id = '', threadId = '' } = useParams()
  return <Page key={id} id={id} pane={pane} threadId={threadId} />
}

function Page({ id, pane, threadId }: { id: string; pane: Pane; threadId: string }) {
  const toast = useToast()
  const { drafts } = useLive()
  const summary = useSummary(id)
  const { removedAt } = useThread(id)
  const navigate = useNavigate()
  const [lastTitle, setLastTitle] = useState<string | null>(null)
  const location = useLocation()
  // Chosen from the list again: the place to write takes the focus again.
  const focusKey = (location.state as { focus?: boolean } | null)?.focus === true ? location.key : null
  const at = useAt()
  const inThread = pane === 'thread'
  const reply = useReplyAt(id, inThread ? null : at)
  const removed = removedAt !== null
  const found = useFound(id, summary !== null || removed)
  const unsent = useUnsent(id)
  const shownTitle = summary === null ? null : titleOf(summary)
  if (shownTitle !== null && shownTitle !== lastTitle) setLastTitle(shownTitle)

  useEffect(() => {
    // Removed while it is open: show a toast and leave, unless there is something unsent to copy.
    if (!removed || lastTitle === null || drafts.get(id) !== '' || unsent !== null) return
    toast(texts.conversations.removed(lastTitle))
    void navigate('/', { replace: true })
  }, [id, removed, lastTitle, unsent, drafts, navigate, toast])

  const hidePane = useCallback(() => void navigate(`/c/${id}`, { replace: true }), [id, navigate])
  useEscape(pane !== null, hidePane)

  if (removed) {
    if (lastTitle === null) return <Navigate to="/nothing" replace />
    return unsent === null ? null : (
      <Suspense>
        <LeftBehind title={lastTitle} text={unsent} />
      </Suspense>
    )
  }
  if (summary === null) {
    if (found.state === 'missing') return <Navigate to="/nothing" replace />
    if (found.state === 'failed') {
      return (
        <div className="flex h-full items-center justify-center">
          <Failed text={found.text} onRetry={found.retry} />
        </div>
      )
    }
    return (
      <Loading>
        <div className="flex h-14 items-center gap-3 border-b border-border px-5">
          <Bone className="size-8 rounded-full!" />
          <Bone className="h-4 w-40" />
        </div>
      </Loading>
    )
  }

  // A link may name a reply by its number alone.
  if (reply !== null) return <Navigate to={pathOf(reply)} replace />
  const shown = pane === 'settings' && !may('ban', summary) ? 'details' : pane
  return (
    <div className="relative flex h-full">
      <div className={`flex min-w-0 flex-1 flex-col ${pane !== null ? 'max-md:hidden' : ''}`}>
        <ConversationHead summary={summary} pane={pane} />
        <ConversationView summary={summary} focusKey={focusKey} at={inThread ? null : at} />
      </div>
      {pane !== null && (
        // What lies over the conversation is put away by a click beside it; by keyboard Escape does it.
        <div
          aria-hidden="true"
          onClick={hidePane}
          className="absolute inset-0 z-20 hidden animate-appear bg-shade md:max-lg:block"
        />
      )}
      {pane !== null && (
        <div className="absolute inset-y-0 end-0 z-20 w-full border-border md:w-[360px] md:border-s md:max-lg:shadow-float lg:static">
          <Suspense>
            {shown === 'details' && <DetailsPane summary={summary} onClose={hidePane} />}
            {shown === 'settings' && <GroupSettings summary={summary} onClose={hidePane} />}
            {shown === 'search' && <ConversationSearch summary={summary} onClose={hidePane} />}
            {shown === 'thread' && (
              <ThreadPane key={threadId} summary={summary} threadId={threadId} at={at} onClose={hidePane} />
            )}
            {shown === 'pins' && <PinsPane summary={summary} onClose={hidePane} />}
          </Suspense>
        </div>
      )}
    </div>
  )
}

/** The message that the address names by its number; another object each time that it is followed. */
function useAt(): { seq: number; focus: boolean } | null {
  const { search, key } = useLocation()
  const given = Number(new URLSearchParams(search).get('at'))
  const seq = Number.isSafeInteger(given) && given > 0 ? given : null
  // Following the same link again leads there again.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  return useMemo(() => (seq === null ? null : { seq, focus: false }), [seq, key])
}

/** The message that the address names, where it is in a thread alone. */
function useReplyAt(id: string, at: { seq: number } | null): Message | null {
  const message = useChat((state) => (at === null ? undefined : threadIn(state, id).messages.get(at.seq)))
  return message !== undefined && isThreadOnly(message) ? message : null
}

type Found = { state: 'asking' | 'missing' } | { state: 'failed'; text: string; retry: () => void }

/** A conversation that is not in the list (yet) is loaded by its id. */
function useFound(id: string, known: boolean): Found {
  const { loader } = useLive()
  const [failure, setFailure] = useState<string | null>(null)
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    if (known) return
    let left = false
    loader.loadConversation(id).catch((error: unknown) => {
      if (!left) setFailure(error instanceof CallError ? error.code : 'other')
    })
    return () => {
      left = true
    }
  }, [loader, id, known, attempt])
  if (failure === 'not_found' || failure === 'invalid') return { state: 'missing' }
  if (failure === null) return { state: 'asking' }
  const retry = (): void => {
    setFailure(null)
    setAttempt(attempt + 1)
  }
  return { state: 'failed', text: failureText(failure), retry }
}
