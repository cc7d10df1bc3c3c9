/** Where the history stands: where the view begins, what is in it, and that it stays there. */
import type { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useLayoutEffect, useRef, useState, type RefObject } from 'react'
import type { Row } from './rows'

export type List = ReturnType<typeof useVirtualizer<HTMLDivElement, Element>>

/** So near to the end counts as being there. */
export const AT_END_PX = 48
/** A jump ends so much lower than the top, where the floating day lies. */
export const BELOW_DAY_PX = 40

/** The first and the last row that are in view. */
export function viewOf(list: List, scroller: HTMLDivElement | null): { first: number; last: number } {
  const top = list.scrollOffset ?? 0
  const bottom = top + (scroller?.clientHeight ?? 0)
  let first = -1
  let last = -1
  for (const { index, start, end } of list.getVirtualItems()) {
    if (end <= top + 4 || start >= bottom - 8) continue
    if (first === -1) first = index
    last = index
  }
  return { first, last }
}

/** Where the view begins: at the line of what is new, else at the newest message. Nothing is shown before it is there. */
export function usePlacement(list: List, rows: readonly Row[], loaded: boolean): boolean {
  const [placed, setPlaced] = useState(false)
  useLayoutEffect(() => {
    if (placed || !loaded) return
    const line = rows.findIndex((row) => row.kind === 'new')
    if (line >= 0) list.scrollToIndex(line, { align: 'start' })
    else list.scrollToEnd()
    const frame = requestAnimationFrame(() => setPlaced(true))
    return () => cancelAnimationFrame(frame)
  }, [placed, loaded, list, rows])
  return placed
}

/**
 * Keep the view's lower edge when its height changes (a phone's keyboard, a composer of six lines, a smaller window): what
 * one replies to stays in sight, and who was at the end is still there and follows on.
 */
export function useKeptEnd(scroller: RefObject<HTMLDivElement | null>, list: List): void {
  useEffect(() => {
    const log = scroller.current
    if (log === null) return
    let height = log.clientHeight
    // As it was when it last scrolled: what one sends is there before the space that the composer gives back.
    const isAtEnd = (): boolean => log.scrollHeight - log.scrollTop - log.clientHeight <= AT_END_PX
    let wasAtEnd = isAtEnd()
    const onScroll = (): void => {
      wasAtEnd = isAtEnd()
    }
    log.addEventListener('scroll', onScroll, { passive: true })
    const observer = new ResizeObserver(() => {
      const less = height - log.clientHeight
      height = log.clientHeight
      if (less === 0) return
      if (wasAtEnd) list.scrollToEnd()
      else log.scrollTop += less
    })
    observer.observe(log)
    return () => {
      observer.disconnect()
      log.removeEventListener('scroll', onScroll)
    }
  }, [scroller, list])
}

/**
 * The messages that loading once began with, by their `seq`. They keep their sender's name, so that what is loaded before
 * them changes no row.
 */
export function useHeads(from: number | undefined): ReadonlySet<number> {
  const [heads, setHeads] = useState<ReadonlySet<number>>(new Set())
  if (from !== undefined && !heads.has(from)) setHeads(new Set(heads).add(from))
  return heads
}

/** Bring the message into view, once the composer has taken the space that it wants for changing it. */
export function useShown(list: List, rows: readonly Row[], messageId: string | null): void {
  const latest = useRef(rows)
  useEffect(() => {
    latest.current = rows
  })
  useEffect(() => {
    if (messageId === null) return
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => {
        const index = latest.current.findIndex(
          (row) => row.kind === 'message' && row.message.id === messageId,
        )
        if (index >= 0) list.scrollToIndex(index, { align: 'auto' })
      })
    })
    return () => cancelAnimationFrame(frame)
  }, [list, messageId])
}
