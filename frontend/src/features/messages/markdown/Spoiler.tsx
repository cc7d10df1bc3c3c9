import { useEffect, useRef, useState, type ReactNode } from 'react'
import { texts } from '@/lib/text/texts'

/** Words that are shown once one asks for them; they take their space before. */
export function Spoiler({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState(false)
  const revealed = useRef<HTMLSpanElement>(null)
  useEffect(() => {
    if (shown) revealed.current?.focus({ preventScroll: true })
  }, [shown])
  if (shown) {
    return (
      <span ref={revealed} tabIndex={-1} data-spoiler="shown" className="rounded-[4px] bg-bg-active">
        {children}
      </span>
    )
  }
  return (
    <span
      role="button"
      tabIndex={0}
      data-spoiler="hidden"
      aria-label={texts.messages.spoiler}
      title={texts.messages.spoiler}
      onClick={() => setShown(true)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return
        event.preventDefault()
        event.stopPropagation()
        setShown(true)
      }}
      className="cursor-pointer rounded-[4px] bg-text-muted box-decoration-clone select-none hover:bg-text-faint"
    >
      <span inert className="opacity-0">
        {children}
      </span>
    </span>
  )
}
