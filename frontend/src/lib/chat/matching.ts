import { titleOf } from './names'
import type { Summary } from '@synctalk/client/chat/summaries'

const fold = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{Diacritic}/gu, '')
    .toLocaleLowerCase()

/** Return those whose name fits. */
export function matching(summaries: readonly Summary[], filter: string): Summary[] {
  return summaries.filter((summary) => fits(`${titleOf(summary)} ${summary.peer?.username ?? ''}`, filter))
}

/** Whether each part of the filter begins a word of the name, or from three letters on is in it; case and accents do not count. */
export function fits(name: string, filter: string): boolean {
  const folded = fold(name)
  return fold(filter)
    .split(/\s+/)
    .every(
      (part) =>
        folded.startsWith(part) || folded.includes(` ${part}`) || (part.length > 2 && folded.includes(part)),
    )
}
