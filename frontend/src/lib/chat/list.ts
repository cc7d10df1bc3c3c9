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

/** Those whose name has a word that begins so, without regard to case and accents. */
export function matching(summaries: readonly Summary[], filter: string): Summary[] {
  const wanted = fold(filter.trim())
  if (wanted === '') return [...summaries]
  return summaries.filter((summary) => {
    const name = fold(`${titleOf(summary)} ${summary.peer?.username ?? ''}`)
    return (
      name.startsWith(wanted) || name.includes(` ${wanted}`) || (wanted.length > 2 && name.includes(wanted))
    )
  })
}
