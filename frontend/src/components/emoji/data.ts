/** All emoji with their names, and what is found by a shortcode. The data are loaded when they are first wanted. */
import type { EmojiData } from 'frimousse'
import type raw from 'virtual:emoji/en'
import { inUse } from '@/lib/text/inUse'
import { lazyTexts } from '@/lib/text/lazyTexts'

type Raw = typeof raw

/** Their names and words are those of the language in use, where Emojibase has it. */
export const loadEmoji = async (): Promise<Raw> =>
  (await (inUse.language === 'de' ? import('virtual:emoji/de') : import('virtual:emoji/en'))).default

const TONES = ['light', 'medium-light', 'medium', 'medium-dark', 'dark'] as const

/** In the shape that the picker takes. */
export function pickerData({ categories, emojis }: Raw): EmojiData {
  return {
    locale: inUse.language,
    categories: categories.map(([index, name]) => ({ index, label: lazyTexts.emoji.categories[name] })),
    emojis: emojis.map(([emoji, label, category, aliases, tags, skins]) => ({
      emoji,
      label: capitalized(label),
      category,
      version: 1,
      tags,
      aliases,
      ...(skins.length === TONES.length && { skins: byTone(skins) }),
    })),
    skinTones: { ...byTone(TONES), light: 'Light', dark: 'Dark' },
  }
}

function byTone(values: readonly string[]): Record<(typeof TONES)[number], string> {
  const [light = '', mediumLight = '', medium = '', mediumDark = '', dark = ''] = values
  return { light, 'medium-light': mediumLight, medium, 'medium-dark': mediumDark, dark }
}

const capitalized = (text: string): string => text.charAt(0).toLocaleUpperCase() + text.slice(1)

export interface Shortcode {
  emoji: string
  /** Without the colons. */
  code: string
}

/** Those whose shortcode begins with what is typed, then those that have it elsewhere; `max` of them. */
export function shortcodesLike({ emojis }: Pick<Raw, 'emojis'>, typed: string, max: number): Shortcode[] {
  const wanted = typed.toLowerCase()
  const begin: Shortcode[] = []
  const contain: Shortcode[] = []
  for (const [emoji, , , codes, tags] of emojis) {
    const beginning = codes.find((code) => code.startsWith(wanted))
    const code =
      beginning ?? codes.find((one) => one.includes(wanted)) ?? (tags.includes(wanted) ? codes[0] : undefined)
    if (code !== undefined) (beginning === undefined ? contain : begin).push({ emoji, code })
  }
  begin.sort((a, b) => a.code.length - b.code.length)
  return [...begin, ...contain].slice(0, max)
}

/** The emoji of exactly this shortcode. */
export const emojiOf = ({ emojis }: Pick<Raw, 'emojis'>, code: string): string | undefined =>
  emojis.find(([, , , codes]) => codes.includes(code.toLowerCase()))?.[0]
