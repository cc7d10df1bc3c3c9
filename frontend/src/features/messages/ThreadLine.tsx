import { Link } from 'react-router'
import type { Message } from '@synctalk/client/contracts'
import { Avatar } from '@/components/Avatar'
import { Icon } from '@/components/Icon'
import { useUser } from '@/lib-react/chat'
import { useNow } from '@/lib-react/page'
import { useReplySummary, useThreadState } from '@/lib-react/threads'
import { nameOf } from '@/lib/chat/names'
import { threadPath } from '@synctalk/client/chat/replies'
import { fullTime, shortTime } from '@/lib/text/format'
import { texts } from '@/lib/text/texts'

const t = texts.threads
const MAX_FACES = 3

/** Below a message that has replies: how many, whose, and since when; the way into its thread. */
export function ThreadLine({ root }: { root: Message }) {
  const summary = useReplySummary(root)
  const state = useThreadState(root.id)
  const now = useNow()
  if (summary === null) return null
  const { reply_count, participant_ids, last_reply_at } = summary
  const unread = state?.following === true ? state.unread_count : 0
  return (
    <Link
      to={threadPath(root.conversation_id, root.id)}
      className="-ms-1 my-0.5 inline-flex min-h-7 max-w-full items-center gap-2 rounded-control px-1 text-meta hover:bg-bg-hover pointer-coarse:min-h-11"
    >
      <span className="flex shrink-0 -space-x-1">
        {participant_ids.slice(0, MAX_FACES).map((id) => (
          <Face key={id} id={id} />
        ))}
      </span>
      <span className="shrink-0 font-medium text-accent-ink">{t.replies(reply_count)}</span>
      <time dateTime={last_reply_at} title={fullTime(last_reply_at)} className="truncate text-text-muted">
        {t.lastReply(shortTime(last_reply_at, now))}
      </time>
      {unread > 0 && (
        <span className="figures flex h-5 shrink-0 items-center rounded-full bg-accent px-1.5 text-small font-semibold text-accent-text">
          {t.unread(unread)}
        </span>
      )}
    </Link>
  )
}

function Face({ id }: { id: string }) {
  const user = useUser(id)
  return <Avatar id={id} name={nameOf(user)} url={user?.avatar_url ?? null} size={20} />
}

/** Above a reply that is also in the conversation: the way into its thread. */
export const InThread = ({ reply, threadId }: { reply: Message; threadId: string }) => (
  <Link
    to={threadPath(reply.conversation_id, threadId, reply.seq)}
    className="flex w-fit max-w-full items-center gap-1.5 rounded-[4px] text-small leading-5 text-text-muted hover:text-text hover:underline"
  >
    <Icon name="thread" size={13} className="shrink-0" />
    <span className="truncate">{t.inThread}</span>
  </Link>
)
