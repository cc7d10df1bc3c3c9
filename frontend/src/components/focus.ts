/** The focus is never lost: where it was is gone, it goes to what is nearest, else to the place to write. */

const FOCUSABLE = 'a[href], button:not(:disabled), input, textarea, [tabindex]'
/** The server has responded to what was confirmed by then. */
const WATCH_MS = 10_000

const isShown = (element: HTMLElement): boolean => element.isConnected && element.getClientRects().length > 0

function nearest(ancestors: readonly HTMLElement[]): HTMLElement | undefined {
  const left = ancestors.find((element) => isShown(element) && element.matches(FOCUSABLE))
  if (left !== undefined) return left
  const places = ['#main textarea', '#main :is(a[href], button)', 'nav a[href]', 'a[href], button']
  return places
    .flatMap((place) => [...document.querySelectorAll<HTMLElement>(place)])
    .find((element) => isShown(element))
}

/** The element and all around it, the innermost first; remembered while they are there. */
export function ancestorsOf(element: HTMLElement): HTMLElement[] {
  const ancestors: HTMLElement[] = []
  for (let at: HTMLElement | null = element; at !== null; at = at.parentElement) ancestors.push(at)
  return ancestors
}

/** Back to where it came from; should that vanish soon, because of what was just done, on to the nearest. */
export function returnFocus(to: HTMLElement, ancestors: readonly HTMLElement[]): void {
  const restore = (): void => nearest(ancestors)?.focus({ preventScroll: true })
  if (!isShown(to)) return restore()
  to.focus()
  const observer = new MutationObserver(() => {
    if (isShown(to) || document.activeElement !== document.body) return
    stop()
    restore()
  })
  const timer = setTimeout(stop, WATCH_MS)
  function stop(): void {
    observer.disconnect()
    clearTimeout(timer)
    document.removeEventListener('focusin', elsewhere)
  }
  function elsewhere(event: FocusEvent): void {
    if (event.target !== to) stop()
  }
  document.addEventListener('focusin', elsewhere)
  observer.observe(document.body, { childList: true, subtree: true })
}
