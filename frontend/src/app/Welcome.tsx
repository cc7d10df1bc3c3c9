import { Suspense } from 'react'
import { Link } from 'react-router'
import { Empty } from '@/components/States'
import { useChat, useConversations } from '@/lib-react/chat'
import { lazily } from '@/lib-react/lazily'
import { useAuthState } from '@/lib-react/session'
import { texts } from '@/lib/text/texts'

const FirstSteps = lazily(() => import('./FirstSteps'))

const t = texts.conversations

/** Shown where no conversation is open: new users find the one thing to do here. */
export function Welcome() {
  const session = useAuthState()
  const listed = useChat((state) => state.listed)
  const some = useConversations().length > 0
  if (!listed || session.state !== 'signed_in') return null
  if (session.user.is_guest === true) {
    return (
      <div className="flex h-full items-center justify-center">
        <Empty icon="chat" title={t.choose} lead={texts.conversations.guestLead} />
      </div>
    )
  }
  const title = some ? t.choose : t.welcome(session.user.display_name)
  return (
    <div className="flex h-full items-center justify-center">
      <Empty icon="chat" title={title} lead={some ? t.chooseLead : t.welcomeLead}>
        <Link
          to="/new"
          className="inline-flex min-h-10 items-center rounded-control bg-accent px-4 text-meta font-medium text-accent-text hover:bg-accent-hover"
        >
          {some ? t.new : t.findUsers}
        </Link>
        {!some && (
          <Suspense>
            <FirstSteps username={session.user.username} />
          </Suspense>
        )}
      </Empty>
    </div>
  )
}
