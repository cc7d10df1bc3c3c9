/** Every visible text, in the language that is shown; those of views that are loaded when first wanted are in lazyTexts.ts. */
import { sections } from './catalogue'
import type { Texts } from './en/texts'

export const texts = sections<Texts>()

/** What to say when a call failed. */
export const failureText = (code: string): string => texts.failures[code] ?? texts.failures.other
