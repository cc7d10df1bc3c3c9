import { useMemo, useState } from 'react'
import type { Role, User } from '@synctalk/client/contracts'
import { Avatar } from '@/components/Avatar'
import { Icon } from '@/components/Icon'
import { presenceInWords, usePresence } from '@/components/Status'
import { Bone, Loading } from '@/components/States'
import { useNow } from '@/lib-react/page'
import { useChat, useMe, usePresenceOf, useThread, useUser } from '@/lib-react/chat'
import { fits } from '@/lib/chat/matching'
import { nameOf } from '@/lib/chat/names'
import type { MemberState } from '@synctalk/client/chat/state'
import type { Summary } from '@synctalk/client/chat/summaries'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { texts } from '@/lib/text/texts'
import { MemberMenu } from './MemberMenu'
import { MAX_PRESENCE } from './useOnlineCount'

const t = lazyTexts.details
const RANK: Record<Role, number> = { owner: 0, admin: 1, moderator: 2, member: 3 }
/** From so many on one may search among them. */
const MANY = 10

type PresentMember = MemberState & { role: Role }

/** The members of a group, and where they are many a field to find one. */
export function MemberList({ summary }: { summary: Summary }) {
  const [search, setSearch] = useState('')
  return (
    <>
      {summary.membersCount > MANY && (
        <div className="relative mx-4 mt-1 mb-2">
          <Icon
            name="search"
            size={16}
            className="pointer-events-none absolute inset-y-0 start-2.5 my-auto text-text-faint"
          />
          <input
            type="search"
            aria-label={t.findMember}
            placeholder={t.findMember}
            value={search}
            onChange={(event) => setSearch(event.target.value)}
            className="h-9 w-full rounded-control border border-border-strong bg-bg ps-8 pe-3 text-meta focus:border-focus pointer-coarse:h-11"
          />
        </div>
      )}
      <Members summary={summary} search={search.trim()} />
    </>
  )
}

function Members({ summary, search }: { summary: Summary; search: string }) {
  const { members, membersLoaded } = useThread(summary.id)
  const users = useChat((state) => state.users)
  const sorted = useMemo(() => inOrder(Object.values(members), users), [members, users])
  usePresenceOf(sorted.slice(0, MAX_PRESENCE).map((member) => member.user_id))
  if (!membersLoaded) {
    return (
      <Loading>
        {[50, 36, 44].map((width) => (
          <div key={width} className="flex h-12 items-center gap-3 px-4">
            <Bone className="size-8 rounded-full!" />
            <div style={{ width: `${String(width)}%` }}>
              <Bone className="h-3.5 w-full" />
            </div>
          </div>
        ))}
      </Loading>
    )
  }
  const found = sorted.filter(({ user_id }) => {
    const user = users[user_id]
    return search === '' || fits(`${nameOf(user)} ${user?.username ?? ''}`, search)
  })
  if (found.length === 0) {
    return (
      <p role="status" className="px-4 py-4 text-center text-meta break-words text-text-muted">
        {lazyTexts.start.nobody(search)}
      </p>
    )
  }
  return (
    <ul className="px-2 pb-4">
      {found.map((member) => (
        <MemberRow key={member.user_id} summary={summary} member={member} />
      ))}
    </ul>
  )
}

function inOrder(members: readonly MemberState[], users: Readonly<Record<string, User>>): PresentMember[] {
  const collator = new Intl.Collator()
  return members
    .filter((member): member is PresentMember => member.role !== null)
    .sort(
      (a, b) =>
        RANK[a.role] - RANK[b.role] || collator.compare(nameOf(users[a.user_id]), nameOf(users[b.user_id])),
    )
}

function MemberRow({ summary, member }: { summary: Summary; member: PresentMember }) {
  const user = useUser(member.user_id)
  const presence = usePresence(member.user_id)
  const me = useMe()
  const now = useNow()
  const own = member.user_id === me
  const muted = member.muted_until !== null && Date.parse(member.muted_until) > now
  return (
    <li className="flex min-h-12 items-center gap-3 rounded-control px-2 [contain-intrinsic-height:48px] [content-visibility:auto]">
      <Avatar
        id={member.user_id}
        name={nameOf(user)}
        url={user?.avatar_url ?? null}
        size={32}
        status={presence?.status}
      />
      <span className="min-w-0 flex-1">
        <span className="flex text-message leading-5 font-medium">
          <bdi className="truncate">{nameOf(user)}</bdi>
          {own && <span className="shrink-0 font-normal whitespace-pre text-text-muted"> ({texts.you})</span>}
        </span>
        <span className="block truncate text-small text-text-muted">
          {[user && `@${user.username}`, presenceInWords(presence, now)].filter(Boolean).join(' · ')}
        </span>
      </span>
      {muted && (
        <span className="text-text-muted">
          <Icon name="voice" size={16} />
          <span className="sr-only">{lazyTexts.moderation.muted}</span>
        </span>
      )}
      {member.role !== 'member' && (
        <span className="rounded-full border border-border px-2 text-small text-text-muted">
          {t.roles[member.role]}
        </span>
      )}
      {own ? (
        <span className="size-9 shrink-0 pointer-coarse:size-11" />
      ) : (
        <MemberMenu
          summary={summary}
          userId={member.user_id}
          name={nameOf(user)}
          role={member.role}
          muted={muted}
        />
      )}
    </li>
  )
}
