import type { RefObject } from 'react'
import { lazyTexts } from '@/lib/text/lazyTexts'
import { texts } from '@/lib/text/texts'
import { isMac, nextIndex } from '@/lib-react/keys'
import { mark, type Mark } from './marking'

const t = lazyTexts.formatting
const MOD = isMac ? '⌘' : 'Ctrl+'

interface Choice {
  kind: Mark
  sign: string
  look?: string
  keys?: string
}

const CHOICES: readonly Choice[] = [
  { kind: 'bold', sign: 'B', look: 'font-bold', keys: 'B' },
  { kind: 'italic', sign: 'I', look: 'italic', keys: 'I' },
  { kind: 'strike', sign: 'S', look: 'line-through', keys: 'Shift+X' },
  { kind: 'code', sign: '<>', look: 'font-mono', keys: 'E' },
  { kind: 'list', sign: '•—' },
  { kind: 'quote', sign: '”' },
  { kind: 'link', sign: '↗' },
  { kind: 'spoiler', sign: '▒' },
]

/** Marks of Markdown for what is selected in the field. One stop for Tab; the arrows lead through it. */
export default function FormattingBar({ field }: { field: RefObject<HTMLTextAreaElement | null> }) {
  return (
    <div
      role="toolbar"
      aria-label={texts.composer.formatting}
      className="flex gap-0.5 overflow-x-auto border-b border-border px-1 py-0.5"
    >
      {CHOICES.map(({ kind, sign, look = '', keys }, index) => (
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
            const sideways = { ArrowRight: 'ArrowDown', ArrowLeft: 'ArrowUp' }[event.key] ?? event.key
            const next = nextIndex({ ...event, key: sideways }, index, CHOICES.length)
            if (next === null) return
            event.preventDefault()
            const { children } = event.currentTarget.parentElement as HTMLElement
            ;(children[next] as HTMLElement).focus()
          }}
          className={`inline-flex size-8 shrink-0 items-center justify-center rounded-control text-meta text-text-muted hover:bg-bg-hover hover:text-text pointer-coarse:size-11 ${look}`}
        >
          <span aria-hidden="true">{sign}</span>
        </button>
      ))}
    </div>
  )
}
