import { useMemo } from 'react'
import { useChat } from './store'
import { titleOf } from './names'
import { inOrder, summaryOf, type Summary } from './summaries'

/** All conversations, newest activity first. */
export function useConversations(): Summary[] {
  const threads = useChat((state) => state.threads)
  const me = useChat((state) => state.me)
  return useMemo(() => {
    if (me === null) return []
    const summaries = Object.values(threads).map((thread) => summaryOf(thread, me))
    return inOrder(summaries.filter((summary) => summary !== null))
  }, [threads, me])
}

const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{Diacritic}/gu, '')
    .toLocaleLowerCase()

/** Those whose name fits. */
export function matching(summaries: readonly Summary[], filter: string): Summary[] {
  return summaries.filter((summary) => fits(`${titleOf(summary)} ${summary.peer?.username ?? ''}`, filter))
}

/** Whether the name has a word that begins so, or from three letters on contains it, without regard to case and accents. */
export function fits(name: string, filter: string): boolean {
  const wanted = fold(filter.trim())
  const folded = fold(name)
  return (
    folded.startsWith(wanted) ||
    folded.includes(` ${wanted}`) ||
    (wanted.length > 2 && folded.includes(wanted))
  )
}
