import { expect, test } from 'vitest'
import { emojiOf, loadEmoji, pickerData, shortcodesLike } from './data'

const data = await loadEmoji()

test('a shortcode is found by its beginning first, then by what is in it, then by a word for it', () => {
  expect(shortcodesLike(data, 'tad', 8)).toContainEqual({ emoji: '🎉', code: 'tada' })
  expect(shortcodesLike(data, 'heart', 3)[0]).toEqual({ emoji: '❤️', code: 'heart' })
  expect(shortcodesLike(data, 'SMIL', 8).map(({ code }) => code)).toContain('smile')
  expect(shortcodesLike(data, 'lol', 30).map(({ emoji }) => emoji)).toContain('😂')
  expect(shortcodesLike(data, 'qqqq', 8)).toEqual([])
  expect(shortcodesLike(data, 'a', 8)).toHaveLength(8)
})

test('a whole shortcode is its emoji, in the form that is shown as one', () => {
  expect(emojiOf(data, '+1')).toBe('👍')
  expect(emojiOf(data, 'Heart')).toBe('❤️')
  expect(emojiOf(data, 'no_such')).toBeUndefined()
})

test('the picker has categories, names and five skin tones', () => {
  const { emojis, categories } = pickerData(data)
  expect(categories.length).toBe(9)
  expect(emojis.length).toBeGreaterThan(1_500)
  const wave = emojis.find(({ emoji }) => emoji === '👋')
  expect(wave?.label).toBe('Waving hand')
  expect(wave?.skins?.dark).toBe('👋🏿')
  const indexes = new Set(categories.map(({ index }) => index))
  expect(emojis.every(({ category }) => indexes.has(category))).toBe(true)
})
