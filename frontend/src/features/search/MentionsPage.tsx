import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { Link } from 'react-router'
import { Button } from '@/components/Button'
import { Icon } from '@/components/Icon'
import { Bone, Empty, Failed, Loading } from '@/components/States'
import { useLive } from '@/lib-react/session'
import { CallError } from '@synctalk/client/errors'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText, texts } from '@/lib/text/texts'
import { Hit } from './Results'

const t = lazyTexts.mentions

/** Everything that mentions oneself, newest first; a new one joins it as it comes. */
export default function MentionsPage() {
  const live = useLive()
  const query = useInfiniteQuery({
    queryKey: ['mentions'],
    queryFn: ({ signal, pageParam }) => live.search.mentions(pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })
  const { refetch } = query
  useEffect(
    () =>
      live.onMessage(({ mentions, mention_all }) => {
        if (mention_all === true || mentions.includes(live.chat.me)) void refetch()
      }),
    [live, refetch],
  )
  const hits = query.data?.pages.flatMap(({ items }) => items) ?? []
  return (
    <div className="flex h-full flex-col">
      <header className="flex h-14 shrink-0 items-center gap-2 border-b border-border ps-2 pe-4 md:ps-6">
        <Link
          to="/"
          aria-label={texts.back}
          className="flex size-11 items-center justify-center rounded-control text-text-muted hover:bg-bg-hover md:hidden"
        >
          <Icon name="back" />
        </Link>
        <h2 className="text-title font-semibold">{t.title}</h2>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-2 pt-2 pb-6">
        <div className="mx-auto max-w-3xl">
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
          ) : hits.length === 0 ? (
            <Empty icon="at" title={t.none} lead={t.noneLead} />
          ) : null}
          <ul aria-label={t.list}>
            {hits.map(({ message, conversation_id }) => (
              <Hit
                key={message.id}
                message={message}
                named
                to={`/c/${conversation_id}?at=${String(message.seq)}`}
              />
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
