import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'react-router'
import type { Message } from '@synctalk/client/contracts'
import { Avatar } from '@/components/Avatar'
import { Button } from '@/components/Button'
import { Bone, Failed, Loading } from '@/components/States'
import { useSummary, useUser } from '@/lib-react/chat'
import { useNow } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'
import { nameOf, titleOf } from '@/lib/chat/names'
import { excerptOf, excerptOrDeleted } from '@/lib/chat/excerpts'
import type { SearchFilter } from '@synctalk/client/live/search'
import { CallError } from '@synctalk/client/errors'
import { fullTime, shortTime } from '@/lib/text/format'
import { piecesOfHighlight } from '@/lib/text/highlight'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText } from '@/lib/text/texts'

const t = lazyTexts.search

interface ResultsProps {
  q: string
  /** Null: all of those with the words. */
  filter: SearchFilter | null
  /** Null: in all conversations. */
  conversationId: string | null
  /** Where a hit leads. */
  linkOf: (message: Message) => string
}

/** What was found, newest first, page by page. */
export function Results({ q, filter, conversationId, linkOf }: ResultsProps) {
  const { search } = useLive()
  const query = useInfiniteQuery({
    queryKey: ['search', q, filter, conversationId],
    queryFn: ({ signal, pageParam }) => search.find({ q, filter, conversationId, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor }) => next_cursor,
    enabled: q !== '' || filter !== null,
    staleTime: 30_000,
  })
  const hits = query.data?.pages.flatMap(({ items }) => items) ?? []
  return (
    <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-2 pb-6">
      <div className="mx-auto max-w-3xl">
        {q === '' && filter === null ? (
          <p className="px-3 py-4 text-meta text-text-muted">{t.hint}</p>
        ) : query.isError ? (
          <Failed
            text={failureText(query.error instanceof CallError ? query.error.code : 'other')}
            onRetry={() => void query.refetch()}
          />
        ) : query.isPending ? (
          <Loading>
            {[60, 80, 45].map((width) => (
              <div key={width} className="p-3" style={{ width: `${String(width)}%` }}>
                <Bone className="h-10 w-full" />
              </div>
            ))}
          </Loading>
        ) : hits.length === 0 ? (
          <p role="status" className="px-3 py-6 text-center text-meta break-words text-text-muted">
            {q === '' ? t.nothingOnly : t.nothing(q)}
          </p>
        ) : null}
        <ul aria-label={t.results}>
          {hits.map((hit) => (
            <Hit
              key={hit.message.id}
              message={hit.message}
              highlight={hit.highlight}
              named={conversationId === null}
              to={linkOf(hit.message)}
            />
          ))}
        </ul>
        {query.hasNextPage && (
          <div className="flex justify-center py-3">
            <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              {t.more}
            </Button>
          </div>
        )}
      </div>
    </div>
  )
}

interface HitProps {
  message: Message
  /** Its words, with what was found marked; without it, its beginning. */
  highlight?: string
  /** Whether the conversation is named. */
  named: boolean
  to: string
}

export function Hit({ message, highlight, named, to }: HitProps) {
  const sender = useUser(message.sender_id)
  const conversation = useSummary(message.conversation_id)
  const now = useNow()
  const [around, setAround] = useState(false)
  return (
    <li className="rounded-card p-1 hover:bg-bg-raised">
      <Link to={to} className="flex gap-3 rounded-card p-2 -outline-offset-2">
        <Avatar id={message.sender_id} name={nameOf(sender)} url={sender?.avatar_url ?? null} size={32} />
        <span className="min-w-0 flex-1">
          <span className="flex items-baseline gap-2 text-meta">
            <bdi className="truncate font-semibold">{nameOf(sender)}</bdi>
            {named && conversation !== null && (
              <bdi className="truncate text-text-muted">{t.in(titleOf(conversation))}</bdi>
            )}
            <time
              dateTime={message.created_at}
              title={fullTime(message.created_at)}
              className="figures ms-auto shrink-0 text-small text-text-faint"
            >
              {shortTime(message.created_at, now)}
            </time>
          </span>
          <span dir="auto" className="line-clamp-4 block text-message wrap-anywhere whitespace-pre-wrap">
            {highlight === undefined
              ? excerptOf(message)
              : piecesOfHighlight(highlight).map(({ text, found }, index) =>
                  found ? (
                    <mark key={index} className="rounded-[3px] bg-found text-text">
                      {text}
                    </mark>
                  ) : (
                    text
                  ),
                )}
          </span>
        </span>
      </Link>
      {around && <Around message={message} />}
      <button
        type="button"
        aria-expanded={around}
        onClick={() => setAround(!around)}
        className="ms-13 rounded-control text-small text-text-muted underline-offset-2 hover:underline pointer-coarse:min-h-11"
      >
        {around ? t.hideAround : t.around}
      </button>
    </li>
  )
}

/** What was said before and after a hit. */
function Around({ message }: { message: Message }) {
  const { search } = useLive()
  const query = useQuery({
    queryKey: ['around', message.id],
    queryFn: ({ signal }) => search.around(message, signal),
  })
  if (query.isPending || query.isError) return null
  return (
    <ol className="ms-13 me-2 mb-1 border-s-2 border-border-strong ps-3">
      {query.data.map((one) => (
        <Line key={one.id} message={one} own={one.id === message.id} />
      ))}
    </ol>
  )
}

function Line({ message, own }: { message: Message; own: boolean }) {
  const sender = useUser(message.sender_id)
  return (
    <li className={`flex gap-1.5 text-meta ${own ? 'text-text' : 'text-text-muted'}`}>
      <bdi className="max-w-32 shrink-0 truncate font-semibold">{nameOf(sender)}</bdi>
      <bdi className="truncate">{excerptOrDeleted(message)}</bdi>
    </li>
  )
}
