import { texts } from './texts'

/** "Ada and two others are typing". */
export function typistsInWords(names: readonly string[]): string | null {
  const [first] = names
  if (first === undefined) return null
  if (names.length === 1) return texts.typing.one(first)
  return names.length === 2 ? texts.typing.some(names) : texts.typing.many(first, names.length - 1)
}
