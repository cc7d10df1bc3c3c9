import { useEffect, useRef, useState } from 'react'
import { useSearchParams } from 'react-router'
import { Icon } from '@/components/Icon'
import { SEARCH_FILTERS, type SearchFilter } from '@synctalk/client/live/search'
import { lazyTexts } from '@/lib/text/lazyTexts'

const t = lazyTexts.search
/** A user may search once a second. */
const SETTLE_MS = 400
const MAX = 200

interface SearchText {
  text: string
  /** What is searched for: the text, once it stands still. */
  q: string
  onChange: (text: string) => void
}

/** The text of a search, as it is in the address, which follows it. */
export function useSearchText(): SearchText {
  const [params, setParams] = useSearchParams()
  const q = params.get('q') ?? ''
  const [text, setText] = useState(q)
  useEffect(() => {
    if (text.trim() === q) return
    const timer = setTimeout(() => {
      setParams(
        (before) => {
          before.set('q', text.trim())
          before.delete('at')
          return before
        },
        { replace: true },
      )
    }, SETTLE_MS)
    return () => clearTimeout(timer)
  }, [text, q, setParams])
  return { text, q, onChange: setText }
}

/** Which messages are looked for, as it is in the address. */
export function useSearchFilter(): [SearchFilter | null, (filter: SearchFilter | null) => void] {
  const [params, setParams] = useSearchParams()
  const given = params.get('only')
  const set = (filter: SearchFilter | null): void =>
    setParams(
      (before) => {
        if (filter === null) before.delete('only')
        else before.set('only', filter)
        before.delete('at')
        return before
      },
      { replace: true },
    )
  return [SEARCH_FILTERS.find((filter) => filter === given) ?? null, set]
}

interface FilterProps {
  filter: SearchFilter | null
  onChange: (filter: SearchFilter | null) => void
}

export const FilterSelect = ({ filter, onChange }: FilterProps) => (
  <select
    aria-label={t.only}
    value={filter ?? ''}
    onChange={({ target }) => onChange(SEARCH_FILTERS.find((one) => one === target.value) ?? null)}
    className="h-10 max-w-60 rounded-control border border-border-strong bg-bg px-2 text-meta pointer-coarse:h-11"
  >
    <option value="">{t.onlyWith.all}</option>
    {SEARCH_FILTERS.map((one) => (
      <option key={one} value={one}>
        {t.onlyWith[one]}
      </option>
    ))}
  </select>
)

export function SearchField({ text, onChange }: SearchText) {
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  return (
    <div className="relative">
      <Icon
        name="search"
        size={16}
        className="pointer-events-none absolute inset-y-0 start-3 my-auto text-text-faint"
      />
      <input
        ref={field}
        type="search"
        aria-label={t.title}
        placeholder={t.placeholder}
        maxLength={MAX}
        value={text}
        onChange={(event) => onChange(event.target.value)}
        className="h-10 w-full rounded-control border border-border-strong bg-bg ps-9 pe-3 text-message focus:border-focus pointer-coarse:h-11"
      />
    </div>
  )
}
