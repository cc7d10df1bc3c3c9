import { use } from 'react'
import type { Message } from '@synctalk/client/contracts'
import { Avatar } from '@/components/Avatar'
import { useNow } from '@/lib-react/page'
import { titleOf } from '@/lib/chat/names'
import { mayNow } from '@synctalk/client/chat/closed'
import { may } from '@synctalk/client/chat/rights'
import { readersOf, type Summary } from '@synctalk/client/chat/summaries'
import { dayInWords } from '@/lib/text/format'
import { texts } from '@/lib/text/texts'
import { ClosedContext, useMessageActions } from './actions'
import { EventRow } from './EventRow'
import { markOf, type Reached } from './marks'
import { MessageRow } from './MessageRow'
import { OutgoingRow } from './OutgoingRow'
import type { Tint } from './RowFrame'
import type { Row } from './rows'
import { memo } from '@/lib-react/language'

const t = texts.messages

interface HistoryRowProps {
  row: Row
  summary: Summary
  me: string
  reached: Reached
  /** How far each of the others in a group has read, furthest first. */
  readSeqs: readonly number[]
  /** The own messages that show their state unasked. */
  marksShown: ReadonlySet<number>
  /** The message that is being changed in the composer. */
  editingId: string | null
  /** The message to which a jump led just now. */
  marked: number | null
}

export function HistoryRow(props: HistoryRowProps) {
  const { row, summary, me, reached, readSeqs, marksShown, editingId, marked } = props
  const closed = use(ClosedContext)
  switch (row.kind) {
    case 'start':
      return <Start title={titleOf(summary)} summary={summary} />
    case 'day':
      return <Day iso={row.iso} />
    case 'new':
      return <NewLine />
    case 'event':
      return <EventRow message={row.message} />
    case 'outgoing':
      return <OutgoingRow item={row.item} first={row.first} me={me} />
    case 'message': {
      const { message, first } = row
      const own = message.sender_id === me
      const group = summary.type === 'group'
      return (
        <MessageRow
          message={message}
          first={first}
          own={own}
          mark={own ? markOf(message, reached) : null}
          markShown={marksShown.has(message.seq)}
          readers={own && group ? readersOf(readSeqs, message.seq) : 0}
          group={group}
          mayDelete={own || may('deleteMessage', summary)}
          mayAnswer={mayNow('send', summary, closed)}
          mayEdit={own && mayNow('edit', summary, closed)}
          mayReact={mayNow('react', summary, closed)}
          mayPin={mayNow('pin', summary, closed)}
          maySeeEdits={own || may('seeRevisions', summary)}
          tint={tintOf(message, me, editingId, marked)}
        />
      )
    }
  }
}

function tintOf(message: Message, me: string, editingId: string | null, marked: number | null): Tint {
  if (message.id === editingId) return 'editing'
  if (message.seq === marked) return 'marked'
  const toAll = message.mention_all === true && message.sender_id !== me
  return toAll || message.mentions.includes(me) ? 'mention' : null
}

function Start({ title, summary }: { title: string; summary: Summary }) {
  const { peer } = summary
  return (
    <div className="px-3 pt-6 pb-3">
      <Avatar
        id={peer?.id ?? summary.id}
        name={title}
        url={summary.picture}
        group={peer === null}
        size={56}
      />
      <p className="mt-3 text-meta wrap-anywhere text-text-muted">
        {peer === null ? t.startGroup(title) : t.startDirect(title)}
      </p>
    </div>
  )
}

const Day = memo(function Day({ iso }: { iso: string }) {
  const { chooseDate } = useMessageActions()
  const day = dayInWords(iso, useNow())
  return (
    <div className="flex items-center gap-3 px-3 pt-3 pb-1">
      <span className="h-px flex-1 bg-border" />
      <button
        type="button"
        aria-haspopup="dialog"
        aria-label={texts.dates.from(day)}
        title={texts.dates.title}
        onClick={() => chooseDate(iso)}
        className="rounded-full border border-border px-2.5 py-0.5 text-small font-medium text-text-muted transition-colors duration-150 hover:bg-bg-hover hover:text-text"
      >
        {day}
      </button>
      <span className="h-px flex-1 bg-border" />
    </div>
  )
})

const NewLine = () => (
  <div role="separator" className="flex items-center gap-2 px-3 pt-1.5">
    <span className="h-px flex-1 bg-accent-ink" />
    <span className="text-small font-semibold text-accent-ink">{t.newLine}</span>
  </div>
)
