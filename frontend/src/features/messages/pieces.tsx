import type { ReactNode } from 'react'
import type { Piece } from '@/lib/text/rich'

/** Of a block of code. */
export const CODE_BLOCK =
  'my-1 max-w-full overflow-x-auto rounded-control border border-border bg-bg-raised px-3 py-2 font-mono text-[13px] leading-5 whitespace-pre'

export const LINK = {
  target: '_blank',
  rel: 'noopener noreferrer nofollow',
  className: 'rounded-[3px] text-accent-ink underline-offset-2 hover:underline',
}

export const Code = ({ text }: { text: string }) => (
  <code dir="ltr" className="rounded-[4px] bg-bg-active px-1 py-px font-mono text-[13px]">
    {text}
  </code>
)

/** A piece as it is shown; `own` is the username whose mentions stand out. */
export function shown(piece: Piece, key: number, own: string): ReactNode {
  switch (piece.kind) {
    case 'text':
      return piece.text
    case 'link':
      return (
        <a key={key} href={piece.href} {...LINK}>
          {piece.text}
        </a>
      )
    case 'mention':
      return (
        <bdi
          key={key}
          data-mention={piece.text.slice(1).toLowerCase() === own ? 'me' : ''}
          className="rounded-[3px] bg-accent-soft px-0.5 font-medium text-accent-ink data-[mention=me]:bg-accent data-[mention=me]:text-accent-text"
        >
          {piece.text}
        </bdi>
      )
    case 'code':
      return <Code key={key} text={piece.text} />
    case 'block':
      return (
        <pre key={key} dir="ltr" tabIndex={0} className={CODE_BLOCK}>
          {piece.text}
        </pre>
      )
  }
}
