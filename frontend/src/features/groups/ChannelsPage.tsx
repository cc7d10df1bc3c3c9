import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Link, useNavigate } from 'react-router'
import { Avatar } from '@/components/Avatar'
import { Button } from '@/components/Button'
import { Icon } from '@/components/Icon'
import { PageHead } from '@/components/PageHead'
import { Bone, Empty, Failed, Loading } from '@/components/States'
import { CallError } from '@synctalk/client/errors'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText, texts } from '@/lib/text/texts'
import { useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'
import { listChannels, type Channel } from './api'

const t = lazyTexts.channels
const SETTLE_MS = 250

/** Public groups: find one, and come in. */
export default function ChannelsPage() {
  const [text, setText] = useState('')
  const search = useSettled(text.trim())
  const { rest } = useLive()
  const query = useInfiniteQuery({
    queryKey: ['channels', search],
    queryFn: ({ pageParam, signal }) => listChannels(rest, search, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: 0,
  })
  const channels = query.data?.pages.flatMap(({ items }) => items) ?? []
  return (
    <div className="flex h-full flex-col">
      <PageHead title={t.title} />
      <div className="mx-auto w-full max-w-3xl px-4 pt-4 pb-2 md:px-6">
        <div className="relative">
          <Icon
            name="search"
            size={16}
            className="pointer-events-none absolute inset-y-0 start-3 my-auto text-text-faint"
          />
          <input
            type="search"
            aria-label={t.search}
            placeholder={t.search}
            maxLength={128}
            value={text}
            onChange={(event) => setText(event.target.value)}
            className="h-10 w-full rounded-control border border-border-strong bg-bg ps-9 pe-3 text-message focus:border-focus pointer-coarse:h-11"
          />
        </div>
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain">
        <div className="mx-auto max-w-3xl px-2 pb-10 md:px-4">
          {query.isError ? (
            <Failed
              text={failureText(query.error instanceof CallError ? query.error.code : 'other')}
              onRetry={() => void query.refetch()}
            />
          ) : query.isPending ? (
            <Loading>
              <Skeleton />
            </Loading>
          ) : channels.length === 0 ? (
            <Nothing search={search} />
          ) : (
            <ul aria-label={t.title}>
              {channels.map((channel) => (
                <ChannelRow key={channel.id} channel={channel} />
              ))}
            </ul>
          )}
          {query.hasNextPage && (
            <div className="flex justify-center pt-4">
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

function ChannelRow({ channel }: { channel: Channel }) {
  const { conversations } = useLive()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const toast = useToast()
  const [busy, setBusy] = useState(false)
  const path = `/c/${channel.id}`

  async function join(): Promise<void> {
    setBusy(true)
    try {
      await conversations.join(channel.id)
      await queries.invalidateQueries({ queryKey: ['channels'], refetchType: 'none' })
      await navigate(path)
    } catch (error) {
      const code = error instanceof CallError ? error.code : 'other'
      toast(t.failures[code] ?? failureText(code))
      setBusy(false)
    }
  }

  return (
    <li className="flex min-h-16 items-center gap-3 rounded-card px-2.5 py-2 hover:bg-bg-hover">
      <Avatar id={channel.id} name={channel.title} url={channel.avatar_url} group />
      <div className="min-w-0 flex-1">
        <h3 className="flex leading-5 font-medium">
          <bdi className="truncate">{channel.title}</bdi>
        </h3>
        {channel.description !== '' && (
          <p dir="auto" className="line-clamp-2 text-meta break-words text-text-muted">
            {channel.description}
          </p>
        )}
        <p className="text-small text-text-faint">{texts.details.membersCount(channel.members_count)}</p>
      </div>
      {channel.joined ? (
        <Link
          to={path}
          aria-label={t.openNamed(channel.title)}
          className="inline-flex min-h-9 shrink-0 items-center rounded-control px-3.5 text-meta font-medium text-accent-ink hover:bg-bg-active pointer-coarse:min-h-11"
        >
          {t.open}
        </Link>
      ) : (
        <Button
          busy={busy}
          aria-label={t.joinNamed(channel.title)}
          onClick={() => void join()}
          className="shrink-0"
        >
          {t.join}
        </Button>
      )}
    </li>
  )
}

function Nothing({ search }: { search: string }) {
  if (search !== '') {
    return (
      <p role="status" className="px-3 py-10 text-center text-meta break-words text-text-muted">
        {t.nothing(search)}
      </p>
    )
  }
  return (
    <Empty icon="hash" title={t.none} lead={t.noneLead}>
      <Link
        to="/new/group"
        className="inline-flex min-h-10 items-center rounded-control bg-accent px-4 text-meta font-medium text-accent-text hover:bg-accent-hover pointer-coarse:min-h-11"
      >
        {lazyTexts.start.newGroup}
      </Link>
    </Empty>
  )
}

const Skeleton = () => (
  <>
    {[48, 36, 60, 44].map((width) => (
      <div key={width} className="flex h-16 items-center gap-3 px-2.5">
        <Bone className="size-10" />
        <div className="flex-1">
          <div style={{ width: `${String(width)}%` }}>
            <Bone className="h-3.5 w-full" />
          </div>
          <Bone className="mt-2 h-3 w-4/5" />
        </div>
      </div>
    ))}
  </>
)

function useSettled(value: string): string {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), value === '' ? 0 : SETTLE_MS)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}
