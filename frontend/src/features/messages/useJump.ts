import { useCallback, useEffect, useRef, useState } from 'react'
import type { List } from './placing'
import type { Row } from './rows'

/** For so long one sees to which message a jump led. */
const MARKED_MS = 3_000

/** Where to go: a new object is a new jump, also to the same message. */
export interface Jump {
  seq: number
  /** The message takes the focus, as what led there is out of sight. */
  focus: boolean
}

interface History {
  list: List
  rows: readonly Row[]
  placed: boolean
  /** Whether a page is being loaded. */
  busy: boolean
  load: (seq: number) => void
}

/** Lead to a message; what is not loaded is loaded around it. Returns the message that is marked, by its `seq`. */
export function useJump({ list, rows, placed, busy, load }: History, jump: Jump | null): number | null {
  const goal = useRef<{ jump: Jump; requested: boolean } | null>(null)
  const [passed, setPassed] = useState<Jump | null>(null)
  useEffect(() => {
    if (jump === null) return
    goal.current = { jump, requested: false }
    const timer = setTimeout(() => setPassed(jump), MARKED_MS)
    return () => clearTimeout(timer)
  }, [jump])

  const arrive = useCallback(
    (index: number, focus: boolean) => {
      list.scrollToIndex(index, { align: 'center' })
      if (focus) focusRow(list, index)
    },
    [list],
  )

  useEffect(() => {
    const { current } = goal
    if (current === null || !placed) return
    const index = rows.findIndex((row) => 'message' in row && row.message.seq === current.jump.seq)
    if (index >= 0) {
      goal.current = null
      arrive(index, current.jump.focus)
    } else if (!current.requested && !busy) {
      current.requested = true
      load(current.jump.seq)
    }
  })
  return jump === passed ? null : (jump?.seq ?? null)
}

const MAX_FRAMES = 30

/** A row that was out of sight exists only some frames later. */
function focusRow(list: List, index: number, frame = 0): void {
  const selector = `[data-index="${String(index)}"] [role="article"]`
  const row = list.scrollElement?.querySelector<HTMLElement>(selector)
  if (row != null) row.focus({ preventScroll: true })
  else if (frame < MAX_FRAMES) requestAnimationFrame(() => focusRow(list, index, frame + 1))
}
