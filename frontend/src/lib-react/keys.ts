import type { KeyboardEvent } from 'react'

/** A key that is part of a shortcut, and means nothing by itself. */
export const isShortcut = (event: KeyboardEvent): boolean => event.altKey || event.ctrlKey || event.metaKey

/** Arrow keys, Home and End in a list: where the focus goes next; null when the key is none of these. */
export function nextIndex(event: KeyboardEvent, index: number, count: number): number | null {
  if (isShortcut(event) || count === 0) return null
  switch (event.key) {
    case 'ArrowDown':
      return Math.min(count - 1, index + 1)
    case 'ArrowUp':
      return Math.max(0, index - 1)
    case 'Home':
      return 0
    case 'End':
      return count - 1
    default:
      return null
  }
}

export const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent)

/** Enter that ends the composition of a character is not Enter. */
export const isComposing = (event: KeyboardEvent): boolean =>
  event.nativeEvent.isComposing || event.keyCode === 229
