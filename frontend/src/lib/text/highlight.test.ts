import { expect, test } from 'vitest'
import { piecesOfHighlight } from './highlight'

test('what was found is kept from the rest', () => {
  expect(piecesOfHighlight('<mark>Lunch</mark> at <mark>noon</mark>?')).toEqual([
    { text: 'Lunch', found: true },
    { text: ' at ', found: false },
    { text: 'noon', found: true },
    { text: '?', found: false },
  ])
})

test('what was written as markup is text', () => {
  expect(
    piecesOfHighlight('&lt;mark&gt;a&lt;/mark&gt; &amp;lt; <mark>x&#x27;s &quot;y&quot;</mark>'),
  ).toEqual([
    { text: '<mark>a</mark> &lt; ', found: false },
    { text: 'x\'s "y"', found: true },
  ])
})

test('without a hit all of it is text', () => {
  expect(piecesOfHighlight('nothing')).toEqual([{ text: 'nothing', found: false }])
  expect(piecesOfHighlight('')).toEqual([])
})
