import { useQuery } from '@tanstack/react-query'
import type { Receipt } from '@synctalk/client/contracts'
import { Avatar } from '@/components/Avatar'
import { Bone, Failed, Loading } from '@/components/States'
import { useThread, useUser } from '@/lib-react/chat'
import { nameOf } from '@/lib/chat/names'
import type { Rest } from '@synctalk/client/http'
import { texts } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'

const t = texts.messages
const MAX_PAGES = 10

async function loadReceipts(rest: Rest, conversationId: string, seq: number): Promise<Receipt[]> {
  const receipts: Receipt[] = []
  const url = `/v1/conversations/${conversationId}/receipts`
  for await (const items of rest.pages<Receipt>(url, { seq, limit: 100 }, MAX_PAGES)) receipts.push(...items)
  return receipts
}

interface ReceiptsProps {
  conversationId: string
  seq: number
}

/** Who has read a message, to whom it was delivered, to whom not. */
export function Receipts({ conversationId, seq }: ReceiptsProps) {
  const { rest } = useLive()
  const { marks } = useThread(conversationId)
  const query = useQuery({
    queryKey: ['receipts', conversationId, seq],
    queryFn: () => loadReceipts(rest, conversationId, seq),
    staleTime: 0,
  })
  if (query.isError) return <Failed text={texts.somethingWrong} onRetry={() => void query.refetch()} />
  if (query.isPending) {
    return (
      <Loading>
        <Bone className="mb-2 h-4 w-2/3" />
        <Bone className="h-4 w-1/2" />
      </Loading>
    )
  }
  // Receipts that arrived since the response count too.
  const now = query.data.map(({ user_id, delivered, read }) => ({
    user_id,
    delivered: delivered || (marks[user_id]?.delivered_seq ?? 0) >= seq,
    read: read || (marks[user_id]?.read_seq ?? 0) >= seq,
  }))
  return (
    <>
      <Users title={t.whoRead} ids={now.filter(({ read }) => read).map(({ user_id }) => user_id)} />
      <Users
        title={t.whoGot}
        ids={now.filter(({ read, delivered }) => delivered && !read).map(({ user_id }) => user_id)}
      />
      <Users title={t.whoNot} ids={now.filter(({ delivered }) => !delivered).map(({ user_id }) => user_id)} />
    </>
  )
}

function Users({ title, ids }: { title: string; ids: readonly string[] }) {
  if (ids.length === 0) return null
  return (
    <section className="not-first:mt-3">
      <h3 className="mb-1 text-small font-semibold text-text-muted">{title}</h3>
      <ul>
        {ids.map((id) => (
          <UserRow key={id} id={id} />
        ))}
      </ul>
    </section>
  )
}

function UserRow({ id }: { id: string }) {
  const user = useUser(id)
  return (
    <li className="flex h-8 items-center gap-2 text-meta">
      <Avatar id={id} name={nameOf(user)} url={user?.avatar_url ?? null} size={22} />
      <span className="truncate">{nameOf(user)}</span>
    </li>
  )
}
