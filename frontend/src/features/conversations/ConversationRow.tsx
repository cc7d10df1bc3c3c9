import { memo, type KeyboardEvent } from 'react'
import { Link } from 'react-router'
import { Avatar } from '@/components/Avatar'
import { usePresence } from '@/components/Status'
import { useMe } from '@/lib/chat/store'
import { titleOf } from '@/lib/chat/names'
import type { Summary } from '@/lib/chat/summaries'
import { useDrafts } from '@/lib/drafts'
import { usePerson } from '@/lib/live/freshness'
import { usePresenceOf } from '@/lib/live/presence'
import { shortTime } from '@/lib/text/format'
import { oneLine } from '@/lib/text/rich'
import { texts } from '@/lib/text/texts'
import { useTypists } from '@/lib/typists'

const t = texts.conversations

interface RowProps {
  summary: Summary
  index: number
  current: boolean
  now: number
  onKeyDown: (event: KeyboardEvent, index: number) => void
}

/** One conversation in the list; the whole row is one link. */
export const ConversationRow = memo(function ConversationRow({
  summary,
  index,
  current,
  now,
  onKeyDown,
}: RowProps) {
  const { peer, unread, last } = summary
  usePresenceOf(peer === null ? [] : [peer.id])
  const presence = usePresence(peer?.id)
  const title = titleOf(summary)
  return (
    <Link
      to={`/c/${summary.id}`}
      state={{ focus: true }}
      data-row={index}
      aria-current={current ? 'page' : undefined}
      onKeyDown={(event) => onKeyDown(event, index)}
      className="flex h-[60px] items-center gap-3 rounded-card px-2.5 -outline-offset-2 transition-colors duration-150 [--surface:var(--bg-raised)] hover:bg-bg-hover hover:[--surface:var(--bg-hover)] aria-[current]:bg-bg-active aria-[current]:[--surface:var(--bg-active)]"
    >
      <Avatar
        id={peer?.id ?? summary.id}
        name={title}
        url={peer?.avatar_url ?? null}
        group={peer === null}
        status={peer === null ? undefined : presence?.status}
      />
      <span className="min-w-0 flex-1">
        <span className="flex items-baseline gap-2">
          <span className={`min-w-0 flex-1 truncate ${unread > 0 ? 'font-semibold' : 'font-medium'}`}>
            {title}
          </span>
          {last !== null && (
            <time dateTime={last.created_at} className="figures shrink-0 text-small text-text-faint">
              {shortTime(last.created_at, now)}
            </time>
          )}
        </span>
        <span className="mt-0.5 flex items-center gap-2 text-meta">
          <Preview summary={summary} current={current} />
          {unread > 0 && <UnreadBadge count={unread} />}
        </span>
      </span>
    </Link>
  )
})

function UnreadBadge({ count }: { count: number }) {
  return (
    <span className="figures flex h-5 min-w-5 shrink-0 items-center justify-center rounded-full bg-accent px-1.5 text-small font-semibold text-accent-text">
      <span aria-hidden="true">{count > 99 ? '99+' : count}</span>
      <span className="sr-only">{t.unread(count)}</span>
    </span>
  )
}

/** Who is typing, else the draft (where it is not in view anyway), else the last message. */
function Preview({ summary, current }: { summary: Summary; current: boolean }) {
  const typing = useTypists(summary.id).length > 0
  const draft = useDrafts((state) => state.texts[summary.id])
  const me = useMe()
  const { last, type, unread } = summary
  const sender = usePerson(
    last === null || last.sender_id === me || type === 'direct' ? null : last.sender_id,
  )
  const shape = 'min-w-0 flex-1 truncate'
  if (typing) return <span className={`${shape} text-accent-ink`}>{texts.typing.short}</span>
  if (draft !== undefined && !current) {
    return (
      <span className={`${shape} text-text-muted`}>
        <span className="text-danger">{t.draft}</span> {oneLine(draft)}
      </span>
    )
  }
  if (last === null) return <span className={`${shape} text-text-faint`}>{t.noMessages}</span>
  const body = last.deleted_at === null ? oneLine(last.body) : t.deletedMessage
  const by = last.sender_id === me ? texts.you : (sender?.display_name ?? null)
  return (
    <span className={`${shape} ${unread > 0 ? 'text-text' : 'text-text-muted'}`}>
      {by === null ? body : t.by(by, body)}
    </span>
  )
}
