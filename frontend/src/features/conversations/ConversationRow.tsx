import { Suspense, useState, type KeyboardEvent } from 'react'
import { Link } from 'react-router'
import type { Message } from '@synctalk/client/contracts'
import { ConversationAvatar } from '@/components/ConversationAvatar'
import { IconButton } from '@/components/Button'
import { Icon, type IconName } from '@/components/Icon'
import { isolated, Sentence } from '@/components/Sentence'
import { usePresence } from '@/components/Status'
import {
  useDraft,
  useMe,
  useNotificationSettings,
  usePresenceOf,
  useTypists,
  useUser,
} from '@/lib-react/chat'
import { lazily } from '@/lib-react/lazily'
import { useLongPress } from '@/lib-react/useLongPress'
import { countedUnread, isWanted } from '@synctalk/client/chat/attention'
import { titleOf } from '@/lib/chat/names'
import { isUnread } from '@synctalk/client/chat/sections'
import { useSystemText } from '@/lib-react/system'
import { excerptOf, excerptOrDeleted } from '@/lib/chat/excerpts'
import type { Summary } from '@synctalk/client/chat/summaries'
import { shortTime } from '@/lib/text/format'
import { oneLine } from '@/lib/text/rich'
import { texts } from '@/lib/text/texts'
import { memo } from '@/lib-react/language'
import { atMost } from '@/lib/text/inUse'

const t = texts.conversations

interface RowProps {
  summary: Summary
  index: number
  current: boolean
  now: number
  /** One line, without what was said last. */
  compact: boolean
  onKeyDown: (event: KeyboardEvent, index: number) => void
}

const RowMenu = lazily(() => import('./RowMenu'))

/** One conversation in the list; the whole row is one link, and what else can be done with it hangs from its end. */
export const ConversationRow = memo(function ConversationRow({
  summary,
  index,
  current,
  now,
  compact,
  onKeyDown,
}: RowProps) {
  const { peer } = summary
  const last = summary.waiting ?? summary.last
  usePresenceOf(peer === null ? [] : [peer.id])
  const presence = usePresence(peer?.id)
  const title = titleOf(summary)
  const bold = isUnread(summary)
  const [menu, setMenu] = useState(false)
  const open = (): void => setMenu(true)
  const press = useLongPress(open, true)
  const button = (
    <IconButton
      icon="more"
      size={16}
      label={t.actionsFor(title)}
      aria-haspopup="menu"
      // By keyboard it opens from the row: each row is one stop.
      tabIndex={-1}
      className="size-7! border border-border bg-bg-float! pointer-coarse:pointer-events-none"
      {...(!menu && { onClick: open })}
    />
  )
  return (
    <div
      className="group/row relative"
      {...press}
      onContextMenu={(event) => {
        event.preventDefault()
        open()
      }}
    >
      <Link
        to={`/c/${summary.id}`}
        state={{ focus: true }}
        data-row={index}
        aria-current={current ? 'page' : undefined}
        onKeyDown={(event) => onKeyDown(event, index)}
        className={`flex ${compact ? 'h-9 pointer-coarse:h-11' : 'h-13 pointer-coarse:h-15'} items-center gap-3 rounded-card px-2.5 -outline-offset-2 transition-colors duration-150 [--surface:var(--bg-raised)] hover:bg-bg-hover hover:[--surface:var(--bg-hover)] aria-[current]:bg-bg-active aria-[current]:[--surface:var(--bg-active)]`}
      >
        <ConversationAvatar summary={summary} size={compact ? 24 : 36} status={presence?.status} />
        <span className="min-w-0 flex-1">
          <span className={`flex gap-2 ${compact ? 'items-center' : 'items-baseline'}`}>
            <span className={`flex min-w-0 flex-1 ${bold ? 'font-semibold' : 'font-medium'}`}>
              <bdi className="truncate">{title}</bdi>
            </span>
            {compact && <Begun summary={summary} current={current} />}
            {summary.pinnedAt !== null && (
              <span className="self-center text-text-faint">
                <Icon name="pin" size={13} />
                <span className="sr-only">{t.pinned}</span>
              </span>
            )}
            {last !== null && (
              <time dateTime={last.created_at} className="figures shrink-0 text-small text-text-faint">
                {shortTime(last.created_at, now)}
              </time>
            )}
            {compact && bold && <UnreadMarks summary={summary} now={now} />}
          </span>
          {!compact && (
            <span className="mt-0.5 flex items-center gap-2 text-meta">
              <Preview summary={summary} current={current} />
              {bold && <UnreadMarks summary={summary} now={now} />}
            </span>
          )}
        </span>
      </Link>
      <span
        className={`absolute end-2 top-1 ${menu ? '' : 'opacity-0 group-focus-within/row:opacity-100 group-hover/row:opacity-100'} pointer-coarse:opacity-0!`}
      >
        {menu ? (
          <Suspense fallback={button}>
            <RowMenu summary={summary} trigger={button} onClose={() => setMenu(false)} />
          </Suspense>
        ) : (
          button
        )}
      </span>
    </div>
  )
})

/** How much there is to read; faint where one does not want to be notified of it. */
function UnreadMarks({ summary, now }: { summary: Summary; now: number }) {
  const settings = useNotificationSettings(summary.id)
  const { unread, mentions } = summary
  const loud =
    countedUnread(summary, settings, now) > 0 || (summary.markedUnread && isWanted(settings, true, now))
  const look = loud ? 'bg-accent text-accent-text' : 'bg-bg-active text-text-muted'
  const shape =
    'figures flex h-5 min-w-5 shrink-0 items-center justify-center rounded-full text-small font-semibold'
  return (
    <>
      {mentions > 0 && summary.type === 'group' && (
        <span className={`${shape} ${look}`}>
          <span aria-hidden="true">@</span>
          <span className="sr-only">{t.mentions(mentions)}</span>
        </span>
      )}
      {unread > 0 ? (
        <span className={`${shape} ${look} px-1.5`}>
          <span aria-hidden="true">{atMost(unread, 99)}</span>
          <span className="sr-only">{t.unread(unread)}</span>
        </span>
      ) : (
        <span role="img" aria-label={t.markedUnread} className={`size-2.5 shrink-0 rounded-full ${look}`} />
      )}
    </>
  )
}

/** In a compact row: that somebody is typing, that there is a draft, or that a message is on its way. */
function Begun({ summary: { id, waiting }, current }: { summary: Summary; current: boolean }) {
  const typing = useTypists(id).length > 0
  const draft = useDraft(id)
  const begun = begunIn({ typing, draft: draft !== undefined && !current, waiting })
  if (begun === null) return null
  const { icon, look, words } = begun
  return (
    <span className={`shrink-0 ${look}`}>
      <Icon name={icon} size={14} />
      <span className="sr-only">{words}</span>
    </span>
  )
}

interface Beginnings {
  typing: boolean
  draft: boolean
  waiting: Summary['waiting']
}

function begunIn({
  typing,
  draft,
  waiting,
}: Beginnings): { icon: IconName; look: string; words: string } | null {
  if (typing) return { icon: 'more', look: 'animate-breathe text-accent-ink', words: texts.typing.short }
  if (draft) return { icon: 'pencil', look: 'text-danger', words: t.draft }
  if (waiting === null) return null
  return waiting.sending.state === 'failed'
    ? { icon: 'alert', look: 'text-danger', words: texts.messages.failed }
    : { icon: 'clock', look: 'text-text-faint', words: texts.messages.sending }
}

/** Who is typing, else the draft (where it is not in view anyway), else the last message. */
function Preview({ summary, current }: { summary: Summary; current: boolean }) {
  const typing = useTypists(summary.id).length > 0
  const draft = useDraft(summary.id)
  const me = useMe()
  const { last, waiting, type, unread } = summary
  const sender = useUser(last === null || last.sender_id === me || type === 'direct' ? null : last.sender_id)
  const shape = 'flex min-w-0 flex-1'
  if (typing) return <span className={`${shape} text-accent-ink`}>{texts.typing.short}</span>
  if (draft !== undefined && !current) {
    return (
      <span className={`${shape} text-text-muted`}>
        <span className="shrink-0 whitespace-pre text-danger">{t.draft} </span>
        <bdi className="truncate">{oneLine(draft)}</bdi>
      </span>
    )
  }
  if (waiting !== null) {
    const failed = waiting.sending.state === 'failed'
    return (
      <>
        <Icon
          name={failed ? 'alert' : 'clock'}
          size={14}
          className={failed ? 'text-danger' : 'text-text-faint'}
        />
        <span className={`${shape} text-text-muted`}>
          <NameAndText by={texts.you} body={excerptOf(waiting)} />
        </span>
      </>
    )
  }
  if (last === null) return <span className={`${shape} text-text-faint`}>{t.noMessages}</span>
  if (last.system != null) return <SystemExcerpt message={last} />
  const body = excerptOrDeleted(last)
  const by = last.sender_id === me ? texts.you : (sender?.display_name ?? null)
  return (
    <span className={`${shape} ${unread > 0 ? 'text-text' : 'text-text-muted'}`}>
      <NameAndText by={by} body={body} />
    </span>
  )
}

const SystemExcerpt = ({ message }: { message: Message }) => (
  <span className="flex min-w-0 flex-1 text-text-muted">
    <Sentence text={useSystemText(message, isolated)} />
  </span>
)

/** Name and words, each by its own direction: neither turns the other round, and both are cut at their end. */
const NameAndText = ({ by, body }: { by: string | null; body: string }) => (
  <>
    {by !== null && (
      <>
        <bdi className="max-w-1/2 shrink-0 truncate">{by}</bdi>
        <span className="shrink-0 whitespace-pre">{t.after}</span>
      </>
    )}
    <bdi className="truncate">{body}</bdi>
  </>
)
