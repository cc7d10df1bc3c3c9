import { useVirtualizer } from '@tanstack/react-virtual'
import { Suspense, useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { Link } from 'react-router'
import { Button, IconButton } from '@/components/Button'
import { Icon } from '@/components/Icon'
import { Bone, Empty, Loading } from '@/components/States'
import { useDensity, useNow } from '@/lib-react/page'
import { useChat, useConversations } from '@/lib-react/chat'
import { matching } from '@/lib/chat/matching'
import { linesOf, type Line, type SectionName } from '@synctalk/client/chat/sections'
import { nextIndex } from '@/lib-react/keys'
import type { Density } from '@/lib-react/density'
import { lazilyAsking } from '@/lib-react/asking'
import { useIsGuest } from '@/lib-react/session'
import { texts } from '@/lib/text/texts'
import { ConversationRow } from './ConversationRow'
import { useCollapsed } from './useCollapsed'
import { number } from '@/lib/text/inUse'

const FoundUsers = lazilyAsking(() => import('./FoundUsers'))

const t = texts.conversations
/** As high as a finger needs it. */
const byFinger = matchMedia('(pointer: coarse)').matches
const HEADING_HEIGHT = byFinger ? 46 : 34
const ROW_HEIGHTS: Readonly<Record<Density, number>> = byFinger
  ? { comfortable: 62, compact: 46 }
  : { comfortable: 54, compact: 38 }

/** All conversations in their sections; while one filters, those of that name, newest activity first. */
export function ConversationList({ currentId }: { currentId: string | null }) {
  const [filter, setFilter] = useState('')
  const conversations = useConversations()
  const isGuest = useIsGuest()
  const listed = useChat((state) => state.listed)
  const [collapsed, toggle] = useCollapsed()
  const density = useDensity()
  const filtering = filter.trim() !== ''
  const shown = filtering ? matching(conversations, filter) : conversations
  const lines = useMemo(
    (): Line[] =>
      filtering
        ? shown.map((summary, index) => ({ kind: 'row', summary, index }))
        : linesOf(shown, collapsed, currentId),
    [filtering, shown, collapsed, currentId],
  )
  return (
    <>
      <Filter value={filter} onChange={setFilter} />
      {filtering && !isGuest && (
        <Suspense>
          <FoundUsers filter={filter} shown={shown} />
        </Suspense>
      )}
      {shown.length > 0 ? (
        <Rows key={density} lines={lines} currentId={currentId} density={density} onToggle={toggle} />
      ) : !listed ? (
        <Loading>
          <Skeleton density={density} />
        </Loading>
      ) : conversations.length > 0 ? (
        <div className="px-4 py-8 text-center text-meta text-text-muted">
          <p className="mb-3 break-words">{t.noMatch(filter)}</p>
          <Button onClick={() => setFilter('')}>{t.clearFilter}</Button>
        </div>
      ) : (
        <>
          {/* On wide screens the invitation is beside the list; on phones it is in the list. */}
          <p className="hidden px-5 py-6 text-meta text-text-faint md:block">{t.none}</p>
          <div className="md:hidden">
            <Empty icon="chat" title={t.none} lead={isGuest ? texts.conversations.guestLead : t.noneLead}>
              {!isGuest && (
                <Link
                  to="/new"
                  className="inline-flex min-h-11 items-center rounded-control bg-accent px-4 text-meta font-medium text-accent-text hover:bg-accent-hover"
                >
                  {t.new}
                </Link>
              )}
            </Empty>
          </div>
        </>
      )}
    </>
  )
}

function Filter({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <div className="relative mx-3 mb-2">
      <Icon
        name="search"
        size={16}
        className="pointer-events-none absolute inset-y-0 start-2.5 my-auto text-text-faint"
      />
      <input
        type="search"
        aria-label={t.filterLabel}
        placeholder={t.filter}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => event.key === 'Escape' && onChange('')}
        className="h-8 w-full rounded-control border border-transparent bg-bg-hover ps-8 pe-8 text-meta transition-colors duration-150 focus:border-focus focus:bg-bg pointer-coarse:h-10 [&::-webkit-search-cancel-button]:hidden"
      />
      {value !== '' && (
        <IconButton
          icon="close"
          size={14}
          label={t.clearFilter}
          onClick={() => onChange('')}
          className="absolute! inset-y-0 end-0.5 my-auto size-7! pointer-coarse:size-10!"
        />
      )}
    </div>
  )
}

interface RowsProps {
  lines: readonly Line[]
  currentId: string | null
  density: Density
  onToggle: (name: SectionName) => void
}

function Rows({ lines, currentId, density, onToggle }: RowsProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const now = useNow()
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (lines[index]?.kind === 'heading' ? HEADING_HEIGHT : ROW_HEIGHTS[density]),
    getItemKey: (index) => keyOf(lines[index]) ?? index,
    overscan: 6,
    paddingEnd: 8,
  })
  const count = lines.filter(({ kind }) => kind === 'row').length
  // The lines change with every message; what the keys do must not draw every row anew.
  const latest = useRef(lines)
  useEffect(() => {
    latest.current = lines
  }, [lines])
  const onKeyDown = useCallback(
    (event: KeyboardEvent, index: number) => {
      const next = nextIndex(event, index, count)
      if (next === null) return
      event.preventDefault()
      rows.scrollToIndex(latest.current.findIndex((line) => line.kind === 'row' && line.index === next))
      // A row that was out of sight exists only after the next frame.
      requestAnimationFrame(() =>
        scroller.current
          ?.querySelector<HTMLElement>(`[data-row="${String(next)}"]`)
          ?.focus({ preventScroll: true }),
      )
    },
    [count, rows],
  )
  return (
    <nav aria-label={t.title} className="min-h-0 flex-1">
      <div ref={scroller} className="h-full overflow-y-auto overscroll-contain px-2">
        <ul className="relative" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((item) => {
            const line = lines[item.index]
            if (line === undefined) return null
            return (
              <li
                key={item.key}
                className="absolute inset-x-0 top-0"
                style={{ transform: `translateY(${String(item.start)}px)` }}
              >
                {line.kind === 'heading' ? (
                  <Heading line={line} onToggle={onToggle} />
                ) : (
                  <ConversationRow
                    summary={line.summary}
                    index={line.index}
                    current={line.summary.id === currentId}
                    now={now}
                    compact={density === 'compact'}
                    onKeyDown={onKeyDown}
                  />
                )}
              </li>
            )
          })}
        </ul>
      </div>
    </nav>
  )
}

const keyOf = (line: Line | undefined): string | undefined =>
  line?.kind === 'heading' ? line.name : line?.summary.id

interface HeadingProps {
  line: Extract<Line, { kind: 'heading' }>
  onToggle: (name: SectionName) => void
}

const Heading = ({ line: { name, count, collapsed }, onToggle }: HeadingProps) => (
  <h2>
    <button
      type="button"
      aria-expanded={!collapsed}
      onClick={() => onToggle(name)}
      className="flex h-8 w-full items-center gap-1.5 rounded-control px-2.5 text-start text-small font-semibold text-text-faint -outline-offset-2 hover:text-text pointer-coarse:h-11"
    >
      <Icon
        name="down"
        size={12}
        className={`transition-transform duration-150 ${collapsed ? '-rotate-90 rtl:rotate-90' : ''}`}
      />
      {t.sections[name]}
      {collapsed && <span className="figures font-normal">{number(count)}</span>}
    </button>
  </h2>
)

const Skeleton = ({ density }: { density: Density }) => (
  <div className="px-2">
    {[64, 40, 52, 72, 48, 60].map((width) => (
      <div key={width} style={{ height: ROW_HEIGHTS[density] }} className="flex items-center gap-3 px-2.5">
        <Bone className={`rounded-full! ${density === 'compact' ? 'size-6' : 'size-9'}`} />
        <div className="flex-1">
          <div style={{ width: `${String(width)}%` }}>
            <Bone className="h-3.5 w-full" />
          </div>
          {density === 'comfortable' && <Bone className="mt-2 h-3 w-4/5" />}
        </div>
      </div>
    ))}
  </div>
)
