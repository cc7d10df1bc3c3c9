import { memo, type ReactNode } from 'react'
import { isEmojiOnly, piecesOf, type Piece } from '@/lib/text/rich'
import { cutToFold } from './folding'
import { useOwnUsername, useUsernames } from './useUsernames'

interface MessageTextProps {
  body: string
  /** The ids of whom the server found mentioned in it. */
  mentions?: readonly string[] | undefined
  /** Only its first lines are shown. */
  folded?: boolean
  /** Stands in the text's last line. */
  children?: ReactNode
}

/** A message's text: line breaks, links, mentions, code. Built from pieces, so nothing in it can be markup. */
export const MessageText = memo(function MessageText({
  body,
  mentions,
  folded = false,
  children,
}: MessageTextProps) {
  const mentioned = useUsernames(mentions)
  const own = useOwnUsername()
  if (isEmojiOnly(body)) {
    return (
      <p className="text-[32px] leading-10">
        {body}
        {children}
      </p>
    )
  }
  const pieces = piecesOf(body, mentioned)
  return (
    // Plaintext: each line has the direction of its own first letter.
    <div className="text-message wrap-anywhere whitespace-pre-wrap [unicode-bidi:plaintext]">
      {(folded ? cutToFold(pieces) : pieces).map((piece, index) => shown(piece, index, own))}
      {children}
    </div>
  )
})

function shown(piece: Piece, index: number, own: string): ReactNode {
  switch (piece.kind) {
    case 'text':
      return piece.text
    case 'link':
      return (
        <a
          key={index}
          href={piece.href}
          target="_blank"
          rel="noopener noreferrer nofollow"
          className="rounded-[3px] text-accent-ink underline-offset-2 hover:underline"
        >
          {piece.text}
        </a>
      )
    case 'mention':
      return (
        <bdi
          key={index}
          data-mention={piece.text.slice(1).toLowerCase() === own ? 'me' : ''}
          className="rounded-[3px] bg-accent-soft px-0.5 font-medium text-accent-ink data-[mention=me]:bg-accent data-[mention=me]:text-accent-text"
        >
          {piece.text}
        </bdi>
      )
    case 'code':
      return (
        <code key={index} dir="ltr" className="rounded-[4px] bg-bg-active px-1 py-px font-mono text-[13px]">
          {piece.text}
        </code>
      )
    case 'block':
      return (
        <pre
          key={index}
          dir="ltr"
          tabIndex={0}
          className="my-1 max-w-full overflow-x-auto rounded-control border border-border bg-bg-raised px-3 py-2 font-mono text-[13px] leading-5 whitespace-pre"
        >
          {piece.text}
        </pre>
      )
  }
}
