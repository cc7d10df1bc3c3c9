import { memo } from 'react'
import { isEmojiOnly, piecesOf } from '@/lib/text/rich'

/** A message's text: line breaks, links, code. Built from pieces, so nothing in it can be markup. */
export const MessageText = memo(function MessageText({ body }: { body: string }) {
  if (isEmojiOnly(body)) return <p className="text-[32px] leading-10">{body}</p>
  return (
    <div className="text-message wrap-anywhere whitespace-pre-wrap" dir="auto">
      {piecesOf(body).map((piece, index) => {
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
          case 'code':
            return (
              <code key={index} className="rounded-[4px] bg-bg-active px-1 py-px font-mono text-[13px]">
                {piece.text}
              </code>
            )
          case 'block':
            return (
              <pre
                key={index}
                tabIndex={0}
                className="my-1 max-w-full overflow-x-auto rounded-control border border-border bg-bg-raised px-3 py-2 font-mono text-[13px] leading-5 whitespace-pre"
              >
                {piece.text}
              </pre>
            )
        }
      })}
    </div>
  )
})
