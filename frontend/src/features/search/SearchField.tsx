import { useEffect, useRef, useState } from 'react'
import { useSearchParams } from 'react-router'
import { Icon } from '@/components/Icon'
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
