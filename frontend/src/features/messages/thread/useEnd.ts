import { useEffect, useRef, useState, type RefObject } from 'react'

const AT_END_PX = 48

/** Whether the view is at its end; there it stays while its content grows. */
export function useEnd(
  scroller: RefObject<HTMLElement | null>,
  content: RefObject<HTMLElement | null>,
): boolean {
  const [atEnd, setAtEnd] = useState(true)
  const stays = useRef(true)
  useEffect(() => {
    const view = scroller.current
    const inner = content.current
    if (view === null || inner === null) return
    const onScroll = (): void => {
      stays.current = view.scrollHeight - view.scrollTop - view.clientHeight <= AT_END_PX
      setAtEnd(stays.current)
    }
    const observer = new ResizeObserver(() => {
      if (stays.current) view.scrollTop = view.scrollHeight
    })
    observer.observe(view)
    observer.observe(inner)
    view.addEventListener('scroll', onScroll, { passive: true })
    return () => {
      observer.disconnect()
      view.removeEventListener('scroll', onScroll)
    }
  }, [scroller, content])
  return atEnd
}
