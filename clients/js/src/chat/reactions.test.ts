import { expect, test } from 'vitest'
import { hasReacted, reactionsOf } from './reactions.js'
import { ME, message } from './samples.js'

test('each emoji has its count; of very many only the first are named', () => {
  const popular = message(1, 1, {
    reactions: { '👍': ['ada', 'ben'], '🎉': ['ada'] },
    reaction_counts: { '👍': 250, '🎉': 1 },
  })
  expect(reactionsOf(popular)).toEqual([
    { emoji: '👍', userIds: ['ada', 'ben'], count: 250 },
    { emoji: '🎉', userIds: ['ada'], count: 1 },
  ])
})

test('without counts those named are counted', () => {
  expect(reactionsOf(message(1, 1, { reactions: { '👍': ['ada', 'ben'] } }))[0]?.count).toBe(2)
})

test('one’s own reaction is set apart from others’', () => {
  const one = message(1, 1, { reactions: { '👍': ['ada', ME] } })
  expect(hasReacted(one, '👍', ME)).toBe(true)
  expect(hasReacted(one, '🎉', ME)).toBe(false)
})
