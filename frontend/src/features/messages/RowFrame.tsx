import { Suspense, useState, type FocusEvent, type KeyboardEvent, type ReactNode } from 'react'
import { Avatar } from '@/components/Avatar'
import { useMe, useUser } from '@/lib-react/chat'
import { isShortcut } from '@/lib-react/keys'
import { nameOf } from '@/lib/chat/names'
import { lazily } from '@/lib-react/lazily'
import { fullTime, timeOfDay } from '@/lib/text/format'
import { texts } from '@/lib/text/texts'
import type { Action } from './rowAction'
import { RowToolbar } from './RowToolbar'
import { useLongPress } from '@/lib-react/useLongPress'

const t = texts.messages

const ActionSheet = lazily(() => import('@/components/ActionSheet'))

/** Why a message stands out: it is being changed, one has just jumped to it, or it mentions oneself. */
export type Tint = 'editing' | 'marked' | 'mention' | null

const TINTS: Record<NonNullable<Tint>, string> = {
  editing: 'bg-accent-soft',
  marked: 'bg-accent-soft',
  mention: 'bg-mention hover:bg-mention-hover',
}

/** On touch screens a tap on the row shows it; what is not seen is not tapped. */
const HIDDEN_MARK =
  'opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 has-data-[state=open]:opacity-100 pointer-coarse:group-not-focus-within:pointer-events-none'

interface FrameProps {
  senderId: string
  createdAt: string
  first: boolean
  /** How far an own message is. */
  mark?: ReactNode
  /** Whether the mark is there without hover and focus. */
  markShown?: boolean
  actions: readonly Action[]
  /** Given where one may react. */
  onReact?: (emoji: string) => void
  tint?: Tint
  children: ReactNode
}

/**
 * A message's row. Sender and time stand once per group; later lines show their time on hover, in the gutter. What can be
 * done with it is shown on hover and focus, and on touch screens in a sheet, after a long press.
 */
export function RowFrame({
  senderId,
  createdAt,
  first,
  mark,
  markShown = false,
  actions,
  onReact,
  tint = null,
  children,
}: FrameProps) {
  const sender = useUser(senderId)
  const me = useMe()
  const [sheet, setSheet] = useState(false)
  const open = (): void => setSheet(actions.length > 0)
  const press = useLongPress(open)
  const { near, ...nearness } = useNearness()
  const [choosing, setChoosing] = useState(false)

  function onKeyDown(event: KeyboardEvent): void {
    if (event.target !== event.currentTarget || isShortcut(event)) return
    if (event.key === '+' && onReact !== undefined) {
      event.preventDefault()
      event.currentTarget.querySelector<HTMLElement>('[data-react]')?.click()
    }
    const action = actions.find(({ key }) => key === event.key.toLowerCase())
    if (action === undefined) return
    event.preventDefault()
    action.run()
  }

  return (
    <div
      role="article"
      aria-label={`${nameOf(sender)}, ${timeOfDay(createdAt)}`}
      aria-current={tint === 'editing' || undefined}
      data-tint={tint}
      tabIndex={-1}
      {...press}
      {...nearness}
      onKeyDown={onKeyDown}
      className={`group relative flex gap-3 rounded-control px-3 -outline-offset-2 transition-colors duration-150 pointer-coarse:select-none ${tint === null ? 'hover:bg-bg-raised focus-within:bg-bg-raised' : TINTS[tint]} ${first ? 'pt-3 pb-px' : 'py-px'}`}
    >
      <div className="w-10 shrink-0">
        {first ? (
          <Avatar id={senderId} name={nameOf(sender)} url={sender?.avatar_url ?? null} size={36} />
        ) : (
          <time
            dateTime={createdAt}
            title={fullTime(createdAt)}
            className="figures block text-end text-[11px] leading-[22px] whitespace-nowrap text-text-faint opacity-0 group-focus-within:opacity-100 group-hover:opacity-100"
          >
            {timeOfDay(createdAt)}
          </time>
        )}
      </div>
      <div className="min-w-0 flex-1">
        {first && (
          <p className="flex items-center gap-2 leading-5">
            <bdi className={`truncate font-semibold ${senderId === me ? 'text-accent-ink' : ''}`}>
              {nameOf(sender)}
            </bdi>
            <time
              dateTime={createdAt}
              title={fullTime(createdAt)}
              className="figures shrink-0 text-small text-text-faint"
            >
              {timeOfDay(createdAt)}
            </time>
          </p>
        )}
        {children}
      </div>
      <div className={`flex w-5 shrink-0 items-start justify-end pt-[3px] ${markShown ? '' : HIDDEN_MARK}`}>
        {mark}
      </div>
      {actions.length > 0 && (
        <>
          {(near || choosing) && <RowToolbar actions={actions} onReact={onReact} onChoosing={setChoosing} />}
          {/* Opens the sheet for screen readers, and for keyboards beside a touch screen. */}
          <button
            type="button"
            aria-haspopup="dialog"
            onClick={open}
            className="sr-only hidden pointer-coarse:block"
          >
            {t.actions}
          </button>
        </>
      )}
      {sheet && (
        <Suspense>
          <ActionSheet
            title={t.actions}
            actions={actions}
            onReact={onReact}
            onClose={() => setSheet(false)}
          />
        </Suspense>
      )}
    </div>
  )
}

/** Whether the pointer or the focus is on the row: what is wanted only then is not there before. */
function useNearness() {
  const [pointed, setPointed] = useState(false)
  const [focused, setFocused] = useState(false)
  return {
    near: pointed || focused,
    onPointerEnter: () => setPointed(true),
    onPointerLeave: () => setPointed(false),
    onFocus: () => setFocused(true),
    onBlur: (event: FocusEvent) => {
      if (!event.currentTarget.contains(event.relatedTarget)) setFocused(false)
    },
  }
}
