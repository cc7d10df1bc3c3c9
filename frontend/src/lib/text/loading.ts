/** The catalogues, each a file of its own, of which only those of the language in use are fetched. */
import { fill } from './catalogue'
import type { LazyTexts } from './en/lazyTexts'
import type { Texts } from './en/texts'
import { inUse } from './inUse'
import type { Language } from './languages'
import { lazyTexts } from './lazyTexts'
import { texts } from './texts'

interface Catalogues {
  texts: () => Promise<{ texts: Texts }>
  lazyTexts: () => Promise<{ lazyTexts: LazyTexts }>
}

export const CATALOGUES: Readonly<Record<Language, Catalogues>> = {
  en: { texts: () => import('./en/texts'), lazyTexts: () => import('./en/lazyTexts') },
  de: { texts: () => import('./de/texts'), lazyTexts: () => import('./de/lazyTexts') },
  ar: { texts: () => import('./ar/texts'), lazyTexts: () => import('./ar/lazyTexts') },
}

export interface Wanted {
  language: Language
  /** How dates and numbers are written. */
  locale: string
}

/** Fills the texts, one after the other: what is wanted last is shown last. */
class Loading {
  private wanted: Wanted = inUse
  private lazily = false
  private turn: Promise<unknown> = Promise.resolve()
  private lazyLoad: Promise<void> | null = null

  /** Show all in this language from the next rendering on; of what is rendered now nothing changes until it is loaded. */
  show(wanted: Wanted): Promise<void> {
    this.wanted = wanted
    return this.next()
  }

  /** Load the texts of views that are loaded when first wanted, and keep them in the language in use. */
  loadLazyTexts(): Promise<void> {
    this.lazily = true
    this.lazyLoad ??= this.next().catch((error: unknown) => {
      this.lazyLoad = null
      throw error
    })
    return this.lazyLoad
  }

  private next(): Promise<void> {
    const turn = this.turn.catch(() => undefined).then(() => this.load())
    this.turn = turn
    return turn
  }

  private async load(): Promise<void> {
    const { language, locale } = this.wanted
    const { texts: load, lazyTexts: loadLazy } = CATALOGUES[language]
    const [main, lazy] = await Promise.all([load(), this.lazily ? loadLazy() : null])
    inUse.language = language
    inUse.locale = locale
    fill(texts, main.texts)
    if (lazy !== null) fill(lazyTexts, lazy.lazyTexts)
  }
}

export const loading = new Loading()
