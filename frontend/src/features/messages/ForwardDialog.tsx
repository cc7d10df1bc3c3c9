import { useId, useState, type KeyboardEvent } from 'react'
import type { Message } from '@synctalk/client/contracts'
import { ConversationAvatar } from '@/components/ConversationAvatar'
import { Dialog } from '@/components/Dialog'
import { Icon } from '@/components/Icon'
import { useConversations } from '@/lib-react/chat'
import { useStore } from 'zustand'
import { isComposing, nextIndex } from '@/lib-react/keys'
import { useNow, useToast } from '@/lib-react/page'
import { useLive } from '@/lib-react/session'
import { matching } from '@/lib/chat/matching'
import { titleOf } from '@/lib/chat/names'
import { closedBecause, mayNow } from '@synctalk/client/chat/closed'
import type { Summary } from '@synctalk/client/chat/summaries'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { texts } from '@/lib/text/texts'
import { QuotedText } from './Quote'

const t = lazyTexts.forward

/** Where a message shall go: a conversation is chosen by typing, by arrows or by pointer. */
export default function ForwardDialog({ message, onClose }: { message: Message; onClose: () => void }) {
  const { outbox } = useLive()
  const toast = useToast()
  const [text, setText] = useState('')
  const [active, setActive] = useState(0)
  const listId = useId()
  const { open: found, archived } = usePlaces(text)
  const at = Math.min(active, Math.max(0, found.length - 1))

  function forward(summary: Summary | undefined): void {
    if (summary === undefined) return
    const { body, files = [], conversation_id, id: message_id } = message
    void outbox.send(summary.id, body, { files, forward: { conversation_id, message_id } })
    toast(t.done(titleOf(summary)))
    onClose()
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (isComposing(event)) return
    if (event.key === 'Enter') {
      event.preventDefault()
      forward(found[at])
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      const next = nextIndex(event, at, found.length) ?? 0
      setActive(next)
      document.getElementById(`${listId}-${String(next)}`)?.scrollIntoView({ block: 'nearest' })
    }
  }

  return (
    <Dialog title={t.title} onClose={onClose}>
      <div className="mx-4 mt-3 flex min-w-0 border-s-2 border-border-strong ps-3 text-meta text-text-muted">
        <QuotedText message={message} />
      </div>
      <div className="mt-2 flex items-center gap-3 border-b border-border px-4">
        <Icon name="search" size={18} className="text-text-faint" />
        <input
          data-autofocus
          role="combobox"
          aria-expanded={found.length > 0}
          aria-controls={listId}
          aria-autocomplete="list"
          aria-activedescendant={found.length > 0 ? `${listId}-${String(at)}` : undefined}
          aria-label={t.to}
          placeholder={t.placeholder}
          autoComplete="off"
          spellCheck={false}
          value={text}
          onChange={(event) => {
            setText(event.target.value)
            setActive(0)
          }}
          onKeyDown={onKeyDown}
          className="h-11 min-w-0 flex-1 bg-transparent text-message outline-none"
        />
      </div>
      <div className="min-h-64 flex-1 overflow-y-auto overscroll-contain p-2">
        {found.length + archived.length === 0 && (
          <p role="status" className="px-3 py-6 text-center text-meta text-text-muted">
            {t.nothing}
          </p>
        )}
        <div id={listId} role="listbox" aria-label={t.to}>
          {found.map((summary, index) => (
            // The focus stays in the field, which handles the keys.
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events
            <div
              key={summary.id}
              id={`${listId}-${String(index)}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === at}
              onClick={() => forward(summary)}
              onMouseMove={() => setActive(index)}
              className={`flex min-h-11 cursor-pointer items-center gap-3 rounded-control px-2.5 ${index === at ? 'bg-bg-hover' : ''}`}
            >
              <Target summary={summary} />
            </div>
          ))}
          {archived.map((summary) => (
            <div
              key={summary.id}
              role="option"
              aria-selected={false}
              aria-disabled
              className="flex min-h-11 items-center gap-3 px-2.5 text-text-muted"
            >
              <Target summary={summary} />
              <span className="ms-auto shrink-0 text-small">{texts.details.archived}</span>
            </div>
          ))}
        </div>
      </div>
    </Dialog>
  )
}

/** Where a message may go, of the conversations with that name; archived ones are shown, so that nobody looks for them. */
function usePlaces(text: string): { open: Summary[]; archived: Summary[] } {
  const { blocks } = useLive()
  const { ids } = useStore(blocks.blocked)
  const now = useNow()
  const named = matching(useConversations(), text)
  const closedOf = (summary: Summary) =>
    closedBecause(summary, summary.peer !== null && ids?.has(summary.peer.id) === true, now)?.why ?? null
  return {
    open: named.filter((summary) => mayNow('send', summary, closedOf(summary))),
    archived: named.filter((summary) => closedOf(summary) === 'archived'),
  }
}

const Target = ({ summary }: { summary: Summary }) => (
  <>
    <ConversationAvatar summary={summary} size={28} />
    <bdi className="truncate">{titleOf(summary)}</bdi>
  </>
)
