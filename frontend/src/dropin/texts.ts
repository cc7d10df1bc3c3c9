/** Which texts the page has beside the frame. */
import { chosenOf, directionOf, localeOf, type Language } from '../lib/text/languages'
import { inUse } from '../lib/text/inUse'
import { WIDGET_TEXTS, type WidgetTexts } from '../lib/text/widget'

/** Take the language that the page asks for, else the browser's. */
export function textsIn(asked: string | undefined): WidgetTexts & { language: Language; direction: string } {
  const language = chosenOf([asked, ...navigator.languages])
  inUse.language = language
  inUse.locale = localeOf(language, navigator.languages)
  return { ...WIDGET_TEXTS[language], language, direction: directionOf(language) }
}
