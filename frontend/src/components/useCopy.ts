import { useToast } from '@/lib-react/page'
import { texts } from '@/lib/text/texts'

/** Return what copies a text to the clipboard, and confirms it by a toast. */
export function useCopy(): (text: string) => void {
  const toast = useToast()
  return (text) => {
    navigator.clipboard.writeText(text).then(
      () => toast(texts.messages.copied),
      () => toast(texts.somethingWrong),
    )
  }
}
