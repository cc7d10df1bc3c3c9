import type { ReactNode } from 'react'
import { useStore } from 'zustand'
import { LanguageContext } from '@/lib-react/language'
import { usePage } from '@/lib-react/page'

/** Renders all below anew when the language changes, and keeps its state. */
export function InLanguage({ children }: { children: () => ReactNode }) {
  const language = useStore(usePage().language.state, ({ shown }) => shown)
  return <LanguageContext value={language}>{children()}</LanguageContext>
}
