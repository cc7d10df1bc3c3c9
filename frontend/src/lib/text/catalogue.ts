/**
 * Texts that stay the same objects while the language changes: a section of them may be kept by a module, a text only by what
 * is rendered again. They are filled before the first view is shown.
 */
import { inUse, number } from './inUse'
import { directionOf } from './languages'

type Section = Record<string, unknown>

/** Sections that are there from the beginning, whatever their texts. */
export function sections<Catalogue extends object>(): Catalogue {
  const target: Section = {}
  return new Proxy(target, {
    get: (known, name: string) => (known[name] ??= {}),
  }) as Catalogue
}

/** Put a language's texts into what is shown. */
export function fill<Catalogue extends object>(target: Catalogue, catalogue: Catalogue): void {
  const into = target as Section
  for (const [name, value] of Object.entries(catalogue) as [string, unknown][]) {
    if (isSection(value)) {
      if (!isSection(into[name])) into[name] = {}
      fill(into[name] as Section, value)
    } else if (typeof value === 'function') into[name] = isolating(value as Text)
    else into[name] = typeof value === 'string' ? withOwnDigits(value) : value
  }
}

type Text = (...values: unknown[]) => string

const isSection = (value: unknown): value is Section =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The digits of a text that is always the same, as the numbers of others are written. */
const withOwnDigits = (text: string): string => text.replace(/\d/g, (digit) => number(Number(digit)))

const isolating =
  (text: Text): Text =>
  (...values) =>
    text(...values.map(isolated))

const RTL =
  /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u
/** Whole words of Arabic need no isolation in it; what stands at an edge, as a bracket or a digit, would change sides. */
const ARABIC = /^\p{Script=Arabic}[\p{Script=Arabic}\p{M} ]*$/u
const ISOLATED = /^\u2068[^\u2069]*\u2069$/

/** A name or the like in a sentence: of another direction, it shall not turn the sentence round. */
function isolated(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(isolated)
  if (typeof value !== 'string' || value === '' || ISOLATED.test(value)) return value
  const fits = directionOf(inUse.language) === 'rtl' ? ARABIC.test(value) : !RTL.test(value)
  return fits ? value : `\u2068${value}\u2069`
}
