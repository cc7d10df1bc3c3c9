import { expect, test } from 'vitest'
import { typistsInWords } from './typists'

test.each([
  [[], null],
  [['Ada'], 'Ada is typing'],
  [['Ada', 'Ben'], 'Ada and Ben are typing'],
  [['Ada', 'Ben', 'Eve'], 'Ada and two others are typing'],
  [['Ada', 'Ben', 'Eve', 'Dan'], 'Ada and 3 others are typing'],
])('typistsInWords(%o) is %s', (names, words) => {
  expect(typistsInWords(names)).toBe(words)
})
