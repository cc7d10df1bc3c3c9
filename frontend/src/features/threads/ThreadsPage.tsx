import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Link } from 'react-router'
import type { Thread } from '@synctalk/client/contracts'
import { Avatar } from '@/components/Avatar'
import { Button } from '@/components/Button'
import { PageHead } from '@/components/PageHead'
import { Bone, Empty, Failed, Loading } from '@/components/States'
import { Switch } from '@/components/Switch'
import { useMessage, useSummary, useUser } from '@/lib-react/chat'
import { useNow } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'
import { useReplySummary, useThreadState } from '@/lib-react/threads'
import { excerptOrDeleted } from '@/lib/chat/excerpts'
import { nameOf, titleOf } from '@/lib/chat/names'
import { threadPath } from '@synctalk/client/chat/replies'
import { CallError } from '@synctalk/client/errors'
import { shortTime } from '@/lib/text/format'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText, texts } from '@/lib/text/texts'

const t = lazyTexts.threads

/** The threads that one follows, the last reply first. */
export default function ThreadsPage() {
  const { threads } = useLive()
  const [unread, setUnread] = useState(false)
  const query = useInfiniteQuery({
    queryKey: ['threads', unread],
    queryFn: ({ signal, pageParam }) => threads.page({ unread, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })
  const { refetch } = query
  // Whatever is counted anew may have moved one up.
  useEffect(() => threads.counted.subscribe(() => void refetch()), [threads, refetch])
  const items = query.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <div className="flex h-full flex-col">
      <PageHead title={t.all} />
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-2 pt-2 pb-6">
        <div className="mx-auto max-w-3xl">
          <div className="px-3 py-1">
            <Switch label={t.onlyUnread} on={unread} onChange={setUnread} />
          </div>
          {query.isError ? (
            <Failed
              text={failureText(query.error instanceof CallError ? query.error.code : 'other')}
              onRetry={() => void query.refetch()}
            />
          ) : query.isPending ? (
            <Loading>
              <Bone className="m-3 h-10" />
              <Bone className="m-3 h-10 w-2/3" />
            </Loading>
          ) : items.length === 0 ? (
            <Empty icon="thread" title={unread ? t.noneUnread : t.none} lead={t.noneLead} />
          ) : null}
          <ul aria-label={t.all}>
            {items.map((thread) => (
              <Row key={thread.root.id} thread={thread} />
            ))}
          </ul>
          {query.hasNextPage && (
            <div className="flex justify-center py-3">
              <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                {lazyTexts.search.more}
              </Button>
            </div>
          )}
        </div>
      </div>
    </div>
  )
}

function Row({ thread }: { thread: Thread }) {
  const now = useNow()
  const root = useMessage(thread.conversation_id, thread.root.id) ?? thread.root
  const replies = useReplySummary(root)
  const unread = useThreadState(root.id)?.unread_count ?? thread.unread_count
  const conversation = useSummary(thread.conversation_id)
  const sender = useUser(root.sender_id)
  return (
    <li>
      <Link
        to={threadPath(thread.conversation_id, root.id)}
        className="flex gap-3 rounded-card px-3 py-2.5 hover:bg-bg-hover"
      >
        <Avatar id={root.sender_id} name={nameOf(sender)} url={sender?.avatar_url ?? null} size={40} />
        <span className="min-w-0 flex-1">
          <span className="flex items-baseline gap-2">
            <bdi className={`truncate ${unread > 0 ? 'font-semibold' : 'font-medium'}`}>{nameOf(sender)}</bdi>
            {conversation !== null && (
              <bdi className="min-w-0 flex-1 truncate text-meta text-text-muted">
                {lazyTexts.search.in(titleOf(conversation))}
              </bdi>
            )}
          </span>
          <bdi className="line-clamp-2 text-message wrap-anywhere">{excerptOrDeleted(root)}</bdi>
          {replies !== null && (
            <span className="flex items-center gap-2 text-meta text-text-muted">
              {texts.threads.replies(replies.reply_count)} ·{' '}
              {texts.threads.lastReply(shortTime(replies.last_reply_at, now))}
            </span>
          )}
        </span>
        {unread > 0 && (
          <span className="figures flex h-5 shrink-0 items-center self-center rounded-full bg-accent px-1.5 text-small font-semibold text-accent-text">
            {texts.threads.unread(unread)}
          </span>
        )}
      </Link>
    </li>
  )
}
