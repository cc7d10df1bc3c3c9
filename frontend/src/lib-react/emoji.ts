/** Which emoji one uses: the latest ones first, and the skin tone, on this device. */
import { createStore } from 'zustand/vanilla'

const KEY = 'synctalk.emoji'
const USUAL = ['👍', '❤️', '😂', '🎉', '😮', '😢', '👀', '🙏', '✅']

export type SkinTone = 'none' | 'light' | 'medium-light' | 'medium' | 'medium-dark' | 'dark'

interface Used {
  recent: readonly string[]
  skinTone: SkinTone
}

function stored(): Used {
  const usual: Used = { recent: USUAL, skinTone: 'none' }
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Used>
    const recent = Array.isArray(kept.recent) ? kept.recent.filter((one) => typeof one === 'string') : []
    return { recent: filledUp(recent), skinTone: kept.skinTone ?? usual.skinTone }
  } catch {
    return usual
  }
}

const filledUp = (recent: readonly string[]): string[] =>
  [...new Set([...recent, ...USUAL])].slice(0, USUAL.length)

export class EmojiUse {
  readonly state = createStore<Used>(stored)

  note(emoji: string): void {
    const { recent } = this.state.getState()
    // What is at hand stays where it is, so that the hand finds it.
    if (!recent.slice(0, 3).includes(emoji)) this.save({ recent: filledUp([emoji, ...recent]) })
  }

  chooseSkinTone(skinTone: SkinTone): void {
    this.save({ skinTone })
  }

  private save(change: Partial<Used>): void {
    this.state.setState(change)
    try {
      localStorage.setItem(KEY, JSON.stringify(this.state.getState()))
    } catch {
      // A full or forbidden storage: they are known for as long as the page lives.
    }
  }
}
