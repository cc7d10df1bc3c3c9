/** The language of what is shown. A page has one, as its document has; loading.ts changes it together with the texts. */
import type { Language } from './languages'

export const inUse: { language: Language; locale: string } = { language: 'en', locale: 'en' }

/** Return what gives the formatter for the locale in use, which is made once for each. */
export function byLocale<Formatter>(make: (locale: string) => Formatter): () => Formatter {
  let made: { locale: string; formatter: Formatter } | null = null
  return () => {
    if (made?.locale !== inUse.locale) made = { locale: inUse.locale, formatter: make(inUse.locale) }
    return made.formatter
  }
}

const numbers = byLocale((locale) => new Intl.NumberFormat(locale))
const lists = byLocale((locale) => new Intl.ListFormat(locale, { type: 'conjunction' }))

export const number = (n: number): string => numbers().format(n)
export const list = (words: readonly string[]): string => lists().format(words)

/** Where a number has little space. */
export const atMost = (n: number, max: number): string => (n > max ? `${number(max)}+` : number(n))
