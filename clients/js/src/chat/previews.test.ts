import { expect, test } from 'vitest'
import { message } from './samples.js'
import { previewsOf } from './previews.js'

const preview = (url: string) => ({ url, title: 'A page', description: '', image_url: null })

test('a message of a server of before has no previews', () => {
  expect(previewsOf(message(1, 1))).toEqual([])
})

test('previews that lead into the web are shown, and no other', () => {
  const shown = [preview('https://example.org/a'), preview('HTTP://example.com')]
  expect(previewsOf({ ...message(1, 1), previews: shown })).toBe(shown)
  const others = ['javascript:alert(1)', 'data:text/html,x', 'https://', '/c/1'].map(preview)
  expect(previewsOf({ ...message(1, 1), previews: [...others, ...shown] })).toEqual(shown)
})
