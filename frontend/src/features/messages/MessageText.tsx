import { Suspense, type ReactNode } from 'react'
import { wordlessly } from '@/lib-react/lazily'
import { hasMarks } from '@/lib/text/marks'
import { isEmojiOnly, piecesOf } from '@/lib/text/rich'
import { cutToFold } from './folding'
import type { TextProps } from './markdown/textProps'
import { shown } from './pieces'
import { useOwnUsername, useUsernames } from './useUsernames'
import { memo } from '@/lib-react/language'

const Markdown = wordlessly(() => import('./markdown/Markdown'))

interface MessageTextProps {
  body: string
  /** The ids of whom the server found mentioned in it. */
  mentions?: readonly string[] | undefined
  /** Only its first lines are shown. */
  folded?: boolean
  /** Stands in the text's last line. */
  children?: ReactNode
}

/**
 * A message's text, built from pieces, so nothing in it can be markup. What reads Markdown is loaded with the first text that
 * has any; until then such a text is shown as it was written, with its links, mentions and code.
 */
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
  const plain = (): ReactNode => <Plain {...{ body, mentioned, own, folded, children }} />
  if (!hasMarks(body)) return plain()
  return (
    <Suspense fallback={plain()}>
      <Markdown {...{ body, mentioned, own, folded, children }} />
    </Suspense>
  )
})

function Plain({ body, mentioned, own, folded, children }: TextProps) {
  const pieces = piecesOf(body, mentioned)
  return (
    // Plaintext: each line has the direction of its own first letter.
    <div className="text-message wrap-anywhere whitespace-pre-wrap [unicode-bidi:plaintext]">
      {(folded ? cutToFold(pieces) : pieces).map((piece, index) => shown(piece, index, own))}
      {children}
    </div>
  )
}
