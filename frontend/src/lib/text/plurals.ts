/** What is counted, in the form that a language has for the number; `#` stands for the number. */
import { number } from './inUse'

/** The forms of each language, so that none is left out. */
interface Forms {
  en: 'one' | 'other'
  de: 'one' | 'other'
  ar: 'zero' | 'one' | 'two' | 'few' | 'many' | 'other'
}

export type PluralForms<Language extends keyof Forms> = Readonly<Record<Forms[Language], string>>

export function pluralsOf<Language extends keyof Forms>(language: Language) {
  const rules = new Intl.PluralRules(language)
  return (n: number, forms: PluralForms<Language>): string =>
    forms[rules.select(n) as Forms[Language]].replace('#', number(n))
}
