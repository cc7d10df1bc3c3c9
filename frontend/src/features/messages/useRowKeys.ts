import type { KeyboardEvent } from 'react'
import { nextIndex } from '@/lib-react/keys'
import type { List } from './placing'
import type { Row } from './rows'

/** The arrows lead from message to message; the first one from below the last that is in view. */
export function useRowKeys(list: List, rows: readonly Row[], lastInView: number) {
  return (event: KeyboardEvent<HTMLDivElement>): void => {
    const log = event.currentTarget
    const focused = (event.target as HTMLElement).closest<HTMLElement>('[data-index]')
    const at = focused === null ? lastInView + 1 : Number(focused.dataset.index)
    const inList = event.target === log || focused !== null
    const wanted = inList ? nextIndex(event, at, rows.length) : null
    const next = wanted === null ? null : nearestMessage(rows, wanted, wanted < at ? -1 : 1)
    if (next === null) return
    event.preventDefault()
    list.scrollToIndex(next, { align: 'auto' })
    // At once, so that the next key goes to the message; a row that was out of sight exists only after the next frame.
    if (!focusRow(log, next)) requestAnimationFrame(() => focusRow(log, next))
  }
}

function focusRow(log: HTMLElement, index: number): boolean {
  const row = log.querySelector<HTMLElement>(`[data-index="${String(index)}"] [role="article"]`)
  row?.focus({ preventScroll: true })
  return row !== null
}

/** From `index` on, the first row that is a message; separators are passed over. */
function nearestMessage(rows: readonly Row[], index: number, step: 1 | -1): number | null {
  for (let at = index; at >= 0 && at < rows.length; at += step) {
    const kind = rows[at]?.kind
    if (kind === 'message' || kind === 'outgoing') return at
  }
  return null
}
