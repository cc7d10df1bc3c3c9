import { useEffect, useRef, type MouseEvent, type PointerEvent } from 'react'

const HOLD_MS = 450
/** A finger that moves further is scrolling. */
const STILL_PX = 10

/** A long press on the element; on a link or a button in it, that has its own meaning, unless `everywhere`. */
export function useLongPress(onPressed: () => void, everywhere = false) {
  const touch = useRef<{ x: number; y: number; timer: ReturnType<typeof setTimeout> } | null>(null)

  function end(): void {
    if (touch.current !== null) clearTimeout(touch.current.timer)
    touch.current = null
  }

  function onLongPress(): void {
    // Lifting the finger shall not tap what opens under it.
    const lifted = new AbortController()
    const options = { signal: lifted.signal, capture: true, passive: false }
    const lift = (event: TouchEvent): void => {
      event.preventDefault()
      lifted.abort()
    }
    window.addEventListener('touchend', lift, options)
    window.addEventListener('touchcancel', lift, options)
    onPressed()
  }

  useEffect(() => end, [])

  return {
    onPointerDown({ pointerType, target, clientX: x, clientY: y }: PointerEvent): void {
      end()
      if (pointerType !== 'touch' || (!everywhere && (target as Element).closest('a, button') !== null))
        return
      touch.current = { x, y, timer: setTimeout(onLongPress, HOLD_MS) }
    },
    onPointerMove({ clientX, clientY }: PointerEvent): void {
      const from = touch.current
      if (from !== null && Math.hypot(clientX - from.x, clientY - from.y) > STILL_PX) end()
    },
    onPointerUp: end,
    onPointerCancel: end,
    // The system's own menu would lie over the sheet.
    onContextMenu(event: MouseEvent): void {
      if (touch.current !== null) event.preventDefault()
    },
  }
}
