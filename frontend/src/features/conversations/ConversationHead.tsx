import { Link } from 'react-router'
import { Avatar } from '@/components/Avatar'
import { ConversationAvatar } from '@/components/ConversationAvatar'
import { Icon, type IconName } from '@/components/Icon'
import { presenceInWords, usePresence } from '@/components/Status'
import { useNow } from '@/lib-react/page'
import { useChat, useMe, useNotificationSettings, usePresenceOf, useThread } from '@/lib-react/chat'
import { nameOf, titleOf } from '@/lib/chat/names'
import { isMuted } from '@synctalk/client/chat/attention'
import type { Summary } from '@synctalk/client/chat/summaries'
import { texts } from '@/lib/text/texts'
import { NotificationButton } from './NotificationButton'
import { useOnlineCount } from './useOnlineCount'

interface HeadProps {
  summary: Summary
  /** What is open beside it. */
  pane: 'details' | 'pins' | 'search' | 'settings' | 'thread' | null
}

/** Above a conversation: its name, who is there, and the way to its details. */
export function ConversationHead({ summary, pane }: HeadProps) {
  const { peer } = summary
  usePresenceOf(peer === null ? [] : [peer.id])
  const presence = usePresence(peer?.id)
  const now = useNow()
  const words = presenceInWords(presence, now)
  const muted = isMuted(useNotificationSettings(summary.id), now)
  const title = titleOf(summary)
  const base = `/c/${summary.id}`
  const toMembers = pane === 'details' ? base : `${base}/details`
  return (
    <header className="flex h-14 shrink-0 items-center gap-3 border-b border-border ps-2 pe-2 md:ps-5">
      <Link
        to="/"
        aria-label={texts.back}
        className="flex size-11 items-center justify-center rounded-control text-text-muted hover:bg-bg-hover md:hidden"
      >
        <Icon name="back" />
      </Link>
      <ConversationAvatar summary={summary} size={32} status={presence?.status} />
      <div className="relative min-w-0 flex-1">
        <div className="flex items-center gap-1.5">
          <h2 className="flex min-w-0 text-message leading-5 font-semibold">
            <bdi className="truncate">{title}</bdi>
          </h2>
          {muted && (
            <span title={texts.notifications.muted} className="shrink-0 text-text-faint md:hidden">
              <Icon name="bellOff" size={14} />
              <span className="sr-only">{texts.notifications.muted}</span>
            </span>
          )}
        </div>
        <p className="truncate text-small text-text-muted">
          {peer === null ? <Members summary={summary} to={toMembers} /> : (words ?? `@${peer.username}`)}
        </p>
      </div>
      {peer === null && <Faces summary={summary} to={toMembers} />}
      {(summary.pinsCount > 0 || pane === 'pins') && (
        <PaneLink
          to={`${base}/pins`}
          base={base}
          open={pane === 'pins'}
          icon="pin"
          label={pane === 'pins' ? texts.pins.close : texts.pins.title}
        />
      )}
      <NotificationButton conversationId={summary.id} muted={muted} />
      <PaneLink
        to={`${base}/search`}
        base={base}
        open={pane === 'search'}
        icon="search"
        label={pane === 'search' ? texts.search.close : texts.search.inConversation}
      />
      <PaneLink
        to={`${base}/details`}
        base={base}
        open={pane === 'details' || pane === 'settings'}
        icon="info"
        label={pane === 'details' || pane === 'settings' ? texts.details.hide : texts.details.open}
      />
    </header>
  )
}

/** How many are in a group, and there; with the name above it, it leads to all of them. */
function Members({ summary, to }: { summary: Summary; to: string }) {
  const { archivedAt, membersCount } = summary
  const online = useOnlineCount(summary)
  const words =
    online === 0
      ? texts.details.membersCount(membersCount)
      : texts.details.membersOnline(membersCount, online)
  return (
    <>
      {archivedAt !== null && `${texts.details.archived} · `}
      <Link to={to} className="rounded-[4px] hover:text-text before:absolute before:inset-0">
        {words}
      </Link>
    </>
  )
}

const MAX_FACES = 3

/** Some of the others in a group: for pointers another way to all of them. */
function Faces({ summary, to }: { summary: Summary; to: string }) {
  const { members } = useThread(summary.id)
  const users = useChat((state) => state.users)
  const me = useMe()
  const others = Object.values(members).filter(({ user_id, role }) => role !== null && user_id !== me)
  if (others.length === 0) return null
  return (
    <Link
      to={to}
      aria-hidden="true"
      tabIndex={-1}
      title={texts.details.membersCount(summary.membersCount)}
      className="hidden shrink-0 -space-x-1 rounded-full p-1 hover:bg-bg-hover lg:flex"
    >
      {others.slice(0, MAX_FACES).map(({ user_id }) => (
        <Avatar
          key={user_id}
          id={user_id}
          name={nameOf(users[user_id])}
          url={users[user_id]?.avatar_url ?? null}
          size={24}
          className="rounded-full ring-2 ring-bg"
        />
      ))}
    </Link>
  )
}

interface PaneLinkProps {
  to: string
  base: string
  open: boolean
  icon: IconName
  label: string
}

/** Opens what stands beside the conversation, and closes it again. */
const PaneLink = ({ to, base, open, icon, label }: PaneLinkProps) => (
  <Link
    to={open ? base : to}
    replace={open}
    aria-label={label}
    title={label}
    className={`flex size-9 shrink-0 items-center justify-center rounded-control text-text-muted hover:bg-bg-hover hover:text-text pointer-coarse:size-11 ${open ? 'bg-bg-active text-text' : ''}`}
  >
    <Icon name={icon} />
  </Link>
)
