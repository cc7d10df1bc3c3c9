/** The texts of views that are loaded when first wanted, so that the first load is without them; the rest of texts.ts. */
import { sections } from './catalogue'
import type { LazyTexts } from './en/lazyTexts'

export const lazyTexts = sections<LazyTexts>()
