/** In which order, and under which headings, conversations are listed. Pure. */
import { inOrder, type Summary } from './summaries.js'

/** As they follow each other in the list. */
export const SECTIONS = ['pinned', 'group', 'direct', 'hidden'] as const
export type SectionName = (typeof SECTIONS)[number]

export interface Section {
  name: SectionName
  summaries: readonly Summary[]
}

const sectionOf = (summary: Summary): SectionName =>
  summary.hidden ? 'hidden' : summary.pinnedAt === null ? summary.type : 'pinned'

/** Return the sections that have any. What is pinned keeps its place, the rest moves with its activity. */
export function sectionsOf(summaries: readonly Summary[]): Section[] {
  const sections = SECTIONS.map((name) => {
    const within = inOrder(summaries.filter((summary) => sectionOf(summary) === name))
    return { name, summaries: name === 'pinned' ? byPin(within) : within }
  })
  return sections.filter((section) => section.summaries.length > 0)
}

const byPin = (summaries: readonly Summary[]): Summary[] =>
  [...summaries].sort((a, b) => ((a.pinnedAt ?? '') < (b.pinnedAt ?? '') ? -1 : 1))

/** As one goes through them by keyboard: as they are listed, without what is hidden. */
export const inListOrder = (summaries: readonly Summary[]): Summary[] =>
  sectionsOf(summaries).flatMap(({ name, summaries: within }) => (name === 'hidden' ? [] : within))

/** A line of the list. */
export type Line =
  | { kind: 'heading'; name: SectionName; count: number; collapsed: boolean }
  | { kind: 'row'; summary: Summary; index: number }

/**
 * Return the lines of the list. A heading stands only where there is something to set apart. Of a collapsed section what is
 * unread stays, and what is open; hidden ones go altogether.
 */
export function linesOf(
  summaries: readonly Summary[],
  collapsed: ReadonlySet<SectionName>,
  currentId: string | null,
): Line[] {
  const sections = sectionsOf(summaries)
  const lines: Line[] = []
  let index = 0
  for (const { name, summaries: within } of sections) {
    const isCollapsed = sections.length > 1 && collapsed.has(name)
    if (sections.length > 1 || name === 'hidden')
      lines.push({ kind: 'heading', name, count: within.length, collapsed: isCollapsed })
    for (const summary of within) {
      const stays = summary.id === currentId || (name !== 'hidden' && isUnread(summary))
      if (!isCollapsed || stays) lines.push({ kind: 'row', summary, index: index++ })
    }
  }
  return lines
}

/** Whether it has something to read, or was marked so. */
export const isUnread = (summary: Summary): boolean => summary.unread > 0 || summary.markedUnread
