import type { RefObject } from 'react'
import { Drawing } from '@/components/Icon'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { texts } from '@/lib/text/texts'
import { isMac, nextIndex } from '@/lib-react/keys'
import { mark, type Mark } from './marking'

const t = lazyTexts.formatting
const MOD = isMac ? '⌘' : 'Ctrl+'

interface Choice {
  kind: Mark
  /** 20 by 20, as all icons. */
  path: string
  /** It shows lines from their beginning, which is on the right in some languages. */
  pointing?: true
  keys?: string
}

const CHOICES: readonly Choice[] = [
  { kind: 'bold', keys: 'B', path: 'M6 4h5a3 3 0 0 1 0 6H6zM6 10h5.800a3 3 0 0 1 0 6H6z' },
  { kind: 'italic', keys: 'I', path: 'M8.500 4h6M5.500 16h6M11.800 4L8.200 16' },
  {
    kind: 'strike',
    keys: 'Shift+X',
    path: 'M3.500 10h13M13.700 6.500C13.200 4.900 11.900 4 10 4 7.800 4 6.300 5.200 6.300 7c0 1.300.7 2.300 2 3M6.200 13.300c.5 1.700 1.900 2.700 3.900 2.700 2.300 0 3.900-1.200 3.900-3.100 0-1.200-.5-2.200-1.500-2.900',
  },
  { kind: 'code', keys: 'E', path: 'M7 6l-4 4 4 4M13 6l4 4-4 4' },
  {
    kind: 'list',
    pointing: true,
    path: 'M8 5.500h8.500M8 10h8.500M8 14.500h8.500M3.900 5.500h.2M3.900 10h.2M3.900 14.500h.2',
  },
  { kind: 'quote', pointing: true, path: 'M4.500 4v12M8.500 6h8M8.500 10h8M8.500 14h5' },
  {
    kind: 'link',
    path: 'M8.500 11.500a3 3 0 0 0 4.200 0l2.600-2.600a3 3 0 0 0-4.200-4.200l-.9.9M11.500 8.500a3 3 0 0 0-4.200 0l-2.600 2.600a3 3 0 0 0 4.200 4.200l.9-.9',
  },
  {
    kind: 'spoiler',
    path: 'M2.500 10S5 4.800 10 4.800 17.500 10 17.500 10 15 15.200 10 15.200 2.500 10 2.500 10zM4 16.500L16 3.500',
  },
]

/** Marks of Markdown for what is selected in the field. One stop for Tab; the arrows lead through it. */
export default function FormattingBar({ field }: { field: RefObject<HTMLTextAreaElement | null> }) {
  return (
    <div
      role="toolbar"
      aria-label={texts.composer.formatting}
      className="flex gap-0.5 overflow-x-auto border-b border-border px-1 py-0.5"
    >
      {CHOICES.map(({ kind, path, pointing = false, keys }, index) => (
        <button
          key={kind}
          type="button"
          tabIndex={index === 0 ? 0 : -1}
          aria-label={t[kind]}
          title={keys === undefined ? t[kind] : t.keys(t[kind], `${MOD}${keys}`)}
          // The field keeps the focus and its selection.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => {
            if (field.current !== null) mark(field.current, kind)
          }}
          onKeyDown={(event) => {
            const isRtl = getComputedStyle(event.currentTarget).direction === 'rtl'
            const [forth, back] = isRtl ? ['ArrowLeft', 'ArrowRight'] : ['ArrowRight', 'ArrowLeft']
            const sideways = { [forth]: 'ArrowDown', [back]: 'ArrowUp' }[event.key] ?? event.key
            const next = nextIndex({ ...event, key: sideways }, index, CHOICES.length)
            if (next === null) return
            event.preventDefault()
            const { children } = event.currentTarget.parentElement as HTMLElement
            ;(children[next] as HTMLElement).focus()
          }}
          className="inline-flex size-8 shrink-0 items-center justify-center rounded-control text-meta text-text-muted hover:bg-bg-hover hover:text-text pointer-coarse:size-11"
        >
          <Drawing path={path} size={18} pointing={pointing} />
        </button>
      ))}
    </div>
  )
}
