/** What the composer needs of formatting at once; the rest is loaded when first wanted. */
import type { KeyboardEvent } from 'react'
import { lazily } from '@/lib-react/lazily'
import type { Mark } from './marking'

export const FormattingBar = lazily(() => import('./FormattingBar'))

const MARKS: Readonly<Record<string, Mark>> = { b: 'bold', i: 'italic', e: 'code', 'shift x': 'strike' }

/** Mark what is selected in the field, where the keys are those of a mark; whether they were. */
export function markByKey(event: KeyboardEvent<HTMLTextAreaElement>): boolean {
  const key = event.key.toLowerCase()
  const kind = MARKS[event.shiftKey ? `shift ${key}` : key]
  if (kind === undefined || event.altKey || event.ctrlKey === event.metaKey) return false
  event.preventDefault()
  const field = event.currentTarget
  void import('./marking').then(({ mark }) => mark(field, kind))
  return true
}
