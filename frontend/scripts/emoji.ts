/** Emojibase's data as a module for each language, with only what the picker and `:shortcodes:` need, loaded when wanted. */
import { createRequire } from 'node:module'
import type { Plugin } from 'vite'

const require = createRequire(import.meta.url)
/** With its language after it. */
const NAME = 'virtual:emoji/'
/** Newer ones show as boxes on many systems. */
const MAX_VERSION = 15.1
/** Skin tones and hair are no emoji by themselves. */
const COMPONENTS = 2

interface Emoji {
  emoji: string
  label: string
  hexcode: string
  group?: number
  version: number
  tags?: string[]
  skins?: { emoji: string; tone: number | number[] }[]
}

interface Messages {
  groups: { order: number; key: string }[]
}

export function emojiData(): Plugin {
  return {
    name: 'emoji-data',
    resolveId: (id) => (id.startsWith(NAME) ? `\0${id}` : undefined),
    load: (id) =>
      id.startsWith(`\0${NAME}`)
        ? `export default JSON.parse(${JSON.stringify(JSON.stringify(read(id.slice(NAME.length + 1))))})`
        : undefined,
  }
}

/** Emojibase asks for a picture where that is meant anyway; what Unicode calls fully qualified does not. */
const qualified = (emoji: string): string => emoji.replace(/(\p{Emoji_Presentation})\uFE0F/gu, '$1')

/** The rows as `components/emoji/data.ts` takes them. */
function read(language: string) {
  const emojis = require(`emojibase-data/${language}/data.json`) as Emoji[]
  const { groups } = require('emojibase-data/en/messages.json') as Messages
  const shortcodes = require('emojibase-data/en/shortcodes/github.json') as Record<string, string | string[]>
  const known = emojis.filter(
    ({ group, version }) => group !== undefined && group !== COMPONENTS && version <= MAX_VERSION,
  )
  return {
    categories: groups.filter(({ order }) => order !== COMPONENTS).map(({ order, key }) => [order, key]),
    emojis: known.map(({ emoji, label, group, tags = [], hexcode, skins = [] }) => [
      qualified(emoji),
      label,
      group,
      [shortcodes[hexcode] ?? []].flat(),
      tags,
      skins.filter(({ tone }) => typeof tone === 'number').map((skin) => qualified(skin.emoji)),
    ]),
  }
}
