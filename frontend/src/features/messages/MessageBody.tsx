import { createContext, useContext, useState, type ReactNode } from 'react'
import { texts } from '@/lib/text/texts'
import { FOLDED_LINES, isLong, linesIn, withoutGaps, withoutPiles } from './folding'
import { MessageText } from './MessageText'
import { memo } from '@/lib-react/language'

const t = texts.messages

/** The long messages that were opened, by id: they stay so, though their rows come and go as one scrolls. */
export const OpenedContext = createContext<Set<string> | null>(null)

interface MessageBodyProps {
  id: string
  body: string
  /** The ids of whom it mentions. */
  mentions?: readonly string[]
  /** Stands at the end of the text, in its last line. */
  children?: ReactNode
}

/** The body of a message: long texts are folded, and piles of combining marks are kept inside their message. */
export const MessageBody = memo(function MessageBody({ id, body, mentions, children }: MessageBodyProps) {
  const opened = useContext(OpenedContext)
  const [open, setOpen] = useState(() => opened?.has(id) === true)
  const long = isLong(body)
  const text = withoutPiles(open ? body.trimEnd() : withoutGaps(body))
  const cut = long && !open && linesIn(text) > FOLDED_LINES
  const toggle = (): void => {
    if (open) opened?.delete(id)
    else opened?.add(id)
    setOpen(!open)
  }
  return (
    <>
      <div
        style={
          cut ? { maxHeight: `calc(${String(FOLDED_LINES)} * var(--text-message--line-height))` } : undefined
        }
        className={cut ? 'overflow-hidden mask-b-from-80%' : '-my-1 overflow-y-clip py-1'}
      >
        <MessageText body={text} mentions={mentions} folded={cut}>
          {children}
        </MessageText>
      </div>
      {long && (
        <button
          type="button"
          aria-expanded={open}
          onClick={toggle}
          className="rounded-control text-meta font-medium text-accent-ink underline-offset-2 hover:underline pointer-coarse:min-h-11"
        >
          {open ? t.showLess : t.showMore}
        </button>
      )}
    </>
  )
})
