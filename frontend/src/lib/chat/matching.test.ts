import { expect, test } from 'vitest'
import { fits } from './matching'

test.each([
  ['Ada Lovelace ada.l', 'ada', true],
  ['Ada Lovelace ada.l', 'lov ad', true],
  ['Ada Lovelace ada.l', 'lace', true],
  ['Ada Lovelace ada.l', 'ac', false],
  ['Ada Lovelace ada.l', 'ada ben', false],
  ['Émile', 'emi', true],
  ['Ada', '  ', true],
])('%s fits %j: %s', (name, filter, expected) => {
  expect(fits(name, filter)).toBe(expected)
})
