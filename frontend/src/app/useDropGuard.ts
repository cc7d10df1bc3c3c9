import { useEffect } from 'react'

/** A file that is dropped beside the place for it does nothing: the browser would open it instead of this page. */
export function useDropGuard(): void {
  useEffect(() => {
    const refuse = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes('Files') !== true) return
      if (event.type === 'dragover' && !event.defaultPrevented) event.dataTransfer.dropEffect = 'none'
      event.preventDefault()
    }
    window.addEventListener('dragover', refuse)
    window.addEventListener('drop', refuse)
    return () => {
      window.removeEventListener('dragover', refuse)
      window.removeEventListener('drop', refuse)
    }
  }, [])
}
