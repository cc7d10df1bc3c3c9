import type { ReactNode } from 'react'

/** A text, with whom it mentions, and what stands in its last line. */
export interface TextProps {
  body: string
  mentioned: ReadonlySet<string>
  own: string
  folded: boolean
  children: ReactNode
}
