/** The language: as the browser's, or chosen. `public/first.js` applies the same rule before the first paint. */
import { createContext, memo as memoOf, useContext } from 'react'
import type { FunctionComponent, MemoExoticComponent } from 'react'
import { createStore } from 'zustand/vanilla'
import { inUse } from '@/lib/text/inUse'
import { chosenOf, directionOf, languageOf, localeOf, type Language } from '@/lib/text/languages'
import { loading } from '@/lib/text/loading'
import { persistently } from './lazily'

const KEY = 'synctalk.language'

const stored = (): Language | null => languageOf(localStorage.getItem(KEY))

export class LanguageChoice {
  /** `chosen` is null where it is as the browser's. */
  readonly state = createStore(() => ({ chosen: stored(), shown: inUse.language }))
  /** What the page around an embedded one asks for. */
  private asked: string | null = null

  /** Load the texts, before the first view is shown; then follow the browser and other tabs. */
  async start(asked: string | null = null): Promise<void> {
    this.asked = asked
    await this.show()
    window.addEventListener('languagechange', () => void this.show())
    window.addEventListener('storage', (event) => {
      if (event.key === KEY) void this.show()
    })
  }

  choose(chosen: Language | null): Promise<void> {
    if (chosen === null) localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, chosen)
    return this.show()
  }

  private async show(): Promise<void> {
    const chosen = stored()
    const { languages } = navigator
    const language = chosenOf([this.asked, chosen, ...languages])
    // At once, so that the choice is seen to be taken.
    this.state.setState({ chosen })
    await persistently(() => loading.show({ language, locale: localeOf(language, languages) }))
    const { documentElement } = document
    documentElement.lang = inUse.language
    documentElement.dir = directionOf(inUse.language)
    this.state.setState({ shown: inUse.language })
  }
}

export const LanguageContext = createContext<Language>('en')

/** The language of what is shown; a change renders what asks for it. */
export const useLanguage = (): Language => useContext(LanguageContext)

/** As React's, but a change of language passes: texts are no props. */
export function memo<P extends object>(
  Component: FunctionComponent<P>,
): MemoExoticComponent<FunctionComponent<P>> {
  function InLanguage(props: P) {
    useLanguage()
    return Component(props)
  }
  InLanguage.displayName = Component.name
  return memoOf(InLanguage)
}
