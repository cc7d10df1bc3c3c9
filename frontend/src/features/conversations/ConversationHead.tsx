import { Link } from 'react-router'
import { Avatar } from '@/components/Avatar'
import { Icon, type IconName } from '@/components/Icon'
import { presenceInWords, usePresence } from '@/components/Status'
import { useNow } from '@/lib-react/page'
import { usePresenceOf } from '@/lib-react/chat'
import { titleOf } from '@/lib/chat/names'
import type { Summary } from '@/lib/chat/summaries'
import { texts } from '@/lib/text/texts'

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
  const words = presenceInWords(presence, useNow())
  const title = titleOf(summary)
  const members = texts.details.membersCount(summary.membersCount)
  const state = summary.archivedAt === null ? members : `${texts.details.archived} · ${members}`
  const below = peer === null ? state : (words ?? `@${peer.username}`)
  const base = `/c/${summary.id}`
  return (
    <header className="flex h-14 shrink-0 items-center gap-3 border-b border-border ps-2 pe-2 md:ps-5">
      <Link
        to="/"
        aria-label={texts.back}
        className="flex size-11 items-center justify-center rounded-control text-text-muted hover:bg-bg-hover md:hidden"
      >
        <Icon name="back" />
      </Link>
      <Avatar
        id={peer?.id ?? summary.id}
        name={title}
        url={summary.picture}
        group={peer === null}
        size={32}
        status={peer === null ? undefined : presence?.status}
      />
      <div className="min-w-0 flex-1">
        <h2 className="flex text-message leading-5 font-semibold">
          <bdi className="truncate">{title}</bdi>
        </h2>
        <p className="truncate text-small text-text-muted">{below}</p>
      </div>
      {(summary.pinsCount > 0 || pane === 'pins') && (
        <PaneLink
          to={`${base}/pins`}
          base={base}
          open={pane === 'pins'}
          icon="pin"
          label={pane === 'pins' ? texts.pins.close : texts.pins.title}
        />
      )}
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
