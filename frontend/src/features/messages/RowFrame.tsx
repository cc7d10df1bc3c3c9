import { Suspense, useState, type ReactNode } from 'react'
import { Avatar } from '@/components/Avatar'
import { IconButton } from '@/components/Button'
import type { IconName } from '@/components/Icon'
import { useUser } from '@/lib-react/chat'
import { nameOf } from '@/lib/chat/names'
import { lazily } from '@/lib-react/lazily'
import { fullTime, timeOfDay } from '@/lib/text/format'
import { texts } from '@/lib/text/texts'
import { useLongPress } from './useLongPress'

const t = texts.messages

const ActionSheet = lazily(() => import('@/components/ActionSheet'))

/** What can be done with a message. */
export interface Action {
  icon: IconName
  label: string
  run: () => void
}

interface FrameProps {
  senderId: string
  createdAt: string
  first: boolean
  mark?: ReactNode
  actions: readonly Action[]
  /** It is being changed in the composer. */
  editing?: boolean
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
  actions,
  editing = false,
  children,
}: FrameProps) {
  const sender = useUser(senderId)
  const [sheet, setSheet] = useState(false)
  const open = (): void => setSheet(actions.length > 0)
  const press = useLongPress(open)
  return (
    <div
      role="article"
      aria-label={`${nameOf(sender)}, ${timeOfDay(createdAt)}`}
      aria-current={editing || undefined}
      tabIndex={-1}
      {...press}
      className={`group relative flex gap-3 rounded-control px-3 -outline-offset-2 pointer-coarse:select-none ${editing ? 'bg-accent-soft' : 'hover:bg-bg-raised focus-within:bg-bg-raised'} ${first ? 'pt-2 pb-0.5' : 'py-0.5'}`}
    >
      <div className="w-10 shrink-0">
        {first ? (
          <Avatar id={senderId} name={nameOf(sender)} url={sender?.avatar_url ?? null} size={40} />
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
            <bdi className="truncate font-semibold">{nameOf(sender)}</bdi>
            <time
              dateTime={createdAt}
              title={fullTime(createdAt)}
              className="figures shrink-0 text-small text-text-faint"
            >
              {timeOfDay(createdAt)}
            </time>
            {mark}
          </p>
        )}
        {children}
      </div>
      <div className="flex w-5 shrink-0 items-start justify-end pt-[3px]">{!first && mark}</div>
      {actions.length > 0 && (
        <>
          <div
            role="group"
            aria-label={t.actions}
            className="absolute -top-4 end-8 z-10 hidden rounded-control border border-border bg-bg-float group-focus-within:flex group-hover:flex pointer-coarse:hidden!"
          >
            {actions.map(({ icon, label, run }) => (
              <IconButton key={label} icon={icon} size={16} label={label} className="size-8!" onClick={run} />
            ))}
          </div>
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
          <ActionSheet title={t.actions} actions={actions} onClose={() => setSheet(false)} />
        </Suspense>
      )}
    </div>
  )
}
