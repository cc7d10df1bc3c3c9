/** What is being completed in the composer: `@name` or `:shortcode:` before the caret. Pure. */

export interface Begun {
  kind: 'mention' | 'emoji'
  /** Without the sign. */
  typed: string
  /** Where the sign stands. */
  start: number
}

/** A name of a mention stands by itself; a shortcode too, so that times and addresses are left alone. */
const MENTION = /(?:^|[\s([{"'“‘«])@([\w.-]{0,32})$/u
const EMOJI = /(?:^|[\s([{"'“‘«\p{Emoji_Presentation}])(:([\w+-]{2,40}))$/u
const WHOLE_EMOJI = /(?:^|[\s([{"'“‘«\p{Emoji_Presentation}]):([\w+-]{1,40}):$/u
/** So much before the caret is looked at. */
const WINDOW = 64

/** Return what is begun before the caret, if something is. */
export function begunAt(text: string, caret: number): Begun | null {
  const from = Math.max(0, caret - WINDOW)
  const before = text.slice(from, caret)
  const mention = MENTION.exec(before)?.[1]
  if (mention !== undefined) return { kind: 'mention', typed: mention, start: caret - mention.length - 1 }
  const emoji = EMOJI.exec(before)?.[2]
  return emoji === undefined ? null : { kind: 'emoji', typed: emoji, start: caret - emoji.length - 1 }
}

/** Return the shortcode that was just ended by its second colon, if one was. */
export function endedAt(text: string, caret: number): Begun | null {
  const code = WHOLE_EMOJI.exec(text.slice(Math.max(0, caret - WINDOW), caret))?.[1]
  return code === undefined ? null : { kind: 'emoji', typed: code, start: caret - code.length - 2 }
}
