import { useState, type KeyboardEvent, type PointerEvent } from 'react'
import { texts } from '@/lib/text/texts'

const KEY = 'synctalk.list-width'
const MIN = 240
const MAX = 400
const USUAL = 300
const STEP = 20

const within = (width: number): number => Math.round(Math.min(MAX, Math.max(MIN, width)))

export function useListWidth(): [number, (width: number) => void] {
  const [width, setWidth] = useState(() => within(Number(localStorage.getItem(KEY) ?? USUAL) || USUAL))
  return [
    width,
    (next) => {
      setWidth(within(next))
      localStorage.setItem(KEY, String(within(next)))
    },
  ]
}

/** The edge between the list and the rest, moved by hand or by arrow keys. */
export function ListWidth({ width, onChange }: { width: number; onChange: (width: number) => void }) {
  function onPointerDown(event: PointerEvent<HTMLDivElement>): void {
    event.preventDefault()
    const handle = event.currentTarget
    const toEnd = getComputedStyle(handle).direction === 'rtl' ? -1 : 1
    const startX = event.clientX
    handle.setPointerCapture(event.pointerId)
    const move = (moved: globalThis.PointerEvent): void => onChange(width + toEnd * (moved.clientX - startX))
    const stop = (): void => handle.removeEventListener('pointermove', move)
    handle.addEventListener('pointermove', move)
    handle.addEventListener('pointerup', stop, { once: true })
    handle.addEventListener('pointercancel', stop, { once: true })
  }

  function onKeyDown(event: KeyboardEvent<HTMLElement>): void {
    const toEnd = getComputedStyle(event.currentTarget).direction === 'rtl' ? -STEP : STEP
    const step = event.key === 'ArrowRight' ? toEnd : event.key === 'ArrowLeft' ? -toEnd : 0
    if (step === 0) return
    event.preventDefault()
    onChange(width + step)
  }

  return (
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={texts.conversations.resize}
      aria-valuenow={width}
      aria-valuemin={MIN}
      aria-valuemax={MAX}
      tabIndex={0}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
      className="relative hidden w-px shrink-0 cursor-col-resize touch-none bg-border outline-none before:absolute before:inset-y-0 before:-inset-x-1 before:z-10 hover:bg-accent focus-visible:bg-focus md:block"
    />
  )
}
