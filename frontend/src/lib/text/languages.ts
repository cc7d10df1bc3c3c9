/** Which languages there are, and which one is shown. `public/first.js` chooses by the same rule before the first paint. */
export const LANGUAGES = ['en', 'de', 'ar'] as const
export type Language = (typeof LANGUAGES)[number]

/** Each by its own name. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  en: 'English',
  de: 'Deutsch',
  ar: 'العربية',
}

export const directionOf = (language: Language): 'ltr' | 'rtl' => (language === 'ar' ? 'rtl' : 'ltr')

/** The language of a tag such as `de-AT`; null: it is none of ours. */
export function languageOf(tag: string | null | undefined): Language | null {
  const wanted = tag?.split(/[-_]/)[0]?.toLowerCase()
  return LANGUAGES.find((language) => language === wanted) ?? null
}

/** The first of these that we have. */
export const chosenOf = (tags: readonly (string | null | undefined)[]): Language =>
  tags.map(languageOf).find((language) => language !== null) ?? 'en'

/** How dates and numbers are written: as in the user's own region, if it is one of this language. */
export function localeOf(language: Language, preferred: readonly string[]): string {
  const region = preferred.find((tag) => languageOf(tag) === language)
  try {
    return region === undefined ? language : (Intl.getCanonicalLocales(region)[0] ?? language)
  } catch {
    return language
  }
}
