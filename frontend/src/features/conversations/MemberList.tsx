import { useMemo, useState } from 'react'
import { useNavigate } from 'react-router'
import type { Role, User } from '@/contracts'
import { Avatar } from '@/components/Avatar'
import { IconButton } from '@/components/Button'
import { Confirm } from '@/components/Dialog'
import { Menu, MenuItem, MenuLine } from '@/components/Menu'
import { presenceInWords, usePresence } from '@/components/Status'
import { Bone, Loading } from '@/components/States'
import { useNow, useToast } from '@/lib-react/page'
import { useChat, useMe, usePresenceOf, useThread, useUser } from '@/lib-react/chat'
import { nameOf } from '@/lib/chat/names'
import type { MemberState } from '@/lib/chat/state'
import { CallError } from '@/lib/errors'
import { failureText, texts } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'

const t = texts.details
const RANK: Record<Role, number> = { owner: 0, admin: 1, moderator: 2, member: 3 }
/** Presence is followed for so many; in larger groups the rest is shown without. */
const MAX_PRESENCE = 100

type PresentMember = MemberState & { role: Role }

export function MemberList({ conversationId, ownRole }: { conversationId: string; ownRole: Role }) {
  const { members, membersLoaded } = useThread(conversationId)
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
  return (
    <ul className="px-2 pb-4">
      {sorted.map((member) => (
        <MemberRow key={member.user_id} conversationId={conversationId} member={member} ownRole={ownRole} />
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

interface RowProps {
  conversationId: string
  member: PresentMember
  ownRole: Role
}

function MemberRow({ conversationId, member, ownRole }: RowProps) {
  const user = useUser(member.user_id)
  const presence = usePresence(member.user_id)
  const me = useMe()
  const now = useNow()
  const own = member.user_id === me
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
      {member.role !== 'member' && (
        <span className="rounded-full border border-border px-2 text-small text-text-muted">
          {t.roles[member.role]}
        </span>
      )}
      {own ? (
        <span className="size-9 shrink-0 pointer-coarse:size-11" />
      ) : (
        <MemberMenu conversationId={conversationId} member={member} name={nameOf(user)} ownRole={ownRole} />
      )}
    </li>
  )
}

/** What one may do with a member, by one's own role. */
export function allowed(ownRole: Role, theirRole: Role): { roles: Role[]; remove: boolean } {
  if (ownRole === 'owner') {
    const roles: Role[] = ['admin', 'moderator', 'member', 'owner']
    return { roles: roles.filter((role) => role !== theirRole), remove: true }
  }
  return { roles: [], remove: ownRole === 'admin' && (theirRole === 'member' || theirRole === 'moderator') }
}

interface MenuProps extends RowProps {
  name: string
}

function MemberMenu({ conversationId, member, name, ownRole }: MenuProps) {
  const toast = useToast()
  const { conversations } = useLive()
  const navigate = useNavigate()
  const [asking, setAsking] = useState<'remove' | 'owner' | null>(null)
  const { roles, remove } = allowed(ownRole, member.role)
  const words: Record<Role, string> = {
    owner: t.makeOwner,
    admin: t.makeAdmin,
    moderator: t.makeModerator,
    member: t.makeMember,
  }

  function act(work: Promise<unknown>): void {
    work.catch((error: unknown) => toast(failureText(error instanceof CallError ? error.code : 'other')))
  }

  const choose = (role: Role): void => {
    if (role === 'owner') setAsking('owner')
    else act(conversations.setRole(conversationId, member.user_id, role))
  }

  return (
    <>
      <Menu trigger={<IconButton icon="more" label={t.actionsFor(name)} />}>
        <MenuItem
          icon="chat"
          onSelect={() => act(conversations.startDirect(member.user_id).then((id) => navigate(`/c/${id}`)))}
        >
          {t.message}
        </MenuItem>
        {roles.map((role) => (
          <MenuItem key={role} icon="group" onSelect={() => choose(role)}>
            {words[role]}
          </MenuItem>
        ))}
        {remove && (
          <>
            <MenuLine />
            <MenuItem icon="close" danger onSelect={() => setAsking('remove')}>
              {t.remove}
            </MenuItem>
          </>
        )}
      </Menu>
      {asking === 'remove' && (
        <Confirm
          question={t.removeQuestion(name)}
          action={t.remove}
          onConfirm={() => act(conversations.removeMember(conversationId, member.user_id))}
          onClose={() => setAsking(null)}
        />
      )}
      {asking === 'owner' && (
        <Confirm
          question={t.ownerQuestion(name)}
          action={t.makeOwner}
          onConfirm={() => act(conversations.setRole(conversationId, member.user_id, 'owner'))}
          onClose={() => setAsking(null)}
        />
      )}
    </>
  )
}
