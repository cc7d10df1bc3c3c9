import { Link } from 'react-router'
import { Empty } from '@/components/States'
import { useConversations } from '@/lib/chat/list'
import { useChat } from '@/lib/chat/store'
import { useSession } from '@/lib/session/session'
import { texts } from '@/lib/text/texts'

const t = texts.conversations

/** Where no conversation is open: a new person finds the one thing to do here. */
export function Welcome() {
  const session = useSession()
  const listed = useChat((state) => state.listed)
  const some = useConversations().length > 0
  if (!listed || session.state !== 'signed_in') return null
  const title = some ? t.choose : t.welcome(session.user.display_name)
  return (
    <div className="flex h-full items-center justify-center">
      <Empty icon="chat" title={title} lead={some ? t.chooseLead : t.welcomeLead}>
        <Link
          to="/new"
          className="inline-flex min-h-10 items-center rounded-control bg-accent px-4 text-meta font-medium text-accent-text hover:bg-accent-hover"
        >
          {some ? t.new : texts.start.people}
        </Link>
      </Empty>
    </div>
  )
}
