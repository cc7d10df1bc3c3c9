import { useQuery } from '@tanstack/react-query'
import { useNavigate } from 'react-router'
import { Avatar } from '@/components/Avatar'
import { useToast } from '@/lib-react/page'
import { useMe } from '@/lib-react/chat'
import { fits } from '@/lib/chat/matching'
import { nameOf } from '@/lib/chat/names'
import type { Summary } from '@synctalk/client/chat/summaries'
import { CallError } from '@synctalk/client/errors'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { failureText } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'

const MAX = 5

/** Users without a conversation with oneself, by what is typed into the filter. */
export default function FoundUsers({ filter, shown }: { filter: string; shown: readonly Summary[] }) {
  const toast = useToast()
  const search = filter.trim()
  const { conversations } = useLive()
  const me = useMe()
  const navigate = useNavigate()
  const query = useQuery({
    queryKey: ['users', search],
    queryFn: ({ signal }) => conversations.searchUsers(search, signal),
    staleTime: 10_000,
    placeholderData: (previous) => previous,
  })
  const known = new Set([me, ...shown.flatMap(({ peer }) => peer?.id ?? [])])
  const users = (query.data ?? [])
    .filter((user) => !known.has(user.id) && fits(`${nameOf(user)} ${user.username}`, search))
    .slice(0, MAX)
  if (users.length === 0) return null

  function write(userId: string): void {
    conversations.startDirect(userId).then(
      (id) => navigate(`/c/${id}`),
      (error: unknown) => toast(failureText(error instanceof CallError ? error.code : 'other')),
    )
  }

  return (
    <section aria-label={lazyTexts.palette.users} className="max-h-1/2 shrink-0 overflow-y-auto px-2 pb-2">
      <h2 className="px-2.5 pt-2 pb-1 text-small font-semibold text-text-faint">{lazyTexts.palette.users}</h2>
      {users.map((user) => (
        <button
          key={user.id}
          type="button"
          onClick={() => write(user.id)}
          className="flex min-h-12 w-full items-center gap-3 rounded-card px-2.5 text-start -outline-offset-2 hover:bg-bg-hover"
        >
          <Avatar id={user.id} name={nameOf(user)} url={user.avatar_url} size={32} />
          <span className="min-w-0 flex-1">
            <span className="flex leading-5 font-medium">
              <bdi className="truncate">{nameOf(user)}</bdi>
            </span>
            <span className="block truncate text-meta text-text-muted">@{user.username}</span>
          </span>
        </button>
      ))}
    </section>
  )
}
