import { expect, test } from 'vitest'
import { CallError } from '@synctalk/client/errors'
import { problemsOf, without } from './problems'

const refused = new CallError('invalid', 'Some fields are not valid.', [
  { field: 'password', message: 'is one of the most common passwords' },
])

test('a field that the server names: the client’s own words', () => {
  expect(problemsOf(refused, ['username', 'password'])).toEqual({
    password: 'This password is too easy to guess. Choose another one.',
  })
})

test('a code that is about a field; any other is about the whole', () => {
  const taken = new CallError('username_taken', 'x')
  expect(problemsOf(taken, ['username'], { username_taken: 'username' })).toEqual({
    username: 'This username is already taken.',
  })
  expect(problemsOf(new CallError('unavailable', 'x'), ['username'])).toEqual({
    all: 'This isn’t available right now. Try again in a moment.',
  })
  expect(problemsOf(refused, ['username'])).toEqual({ all: 'Check what you entered and try again.' })
})

test('a field that is changed: its problem is gone, the others stay', () => {
  const problems = { username: 'a', password: 'b' }
  expect(without(problems, 'password')).toEqual({ username: 'a' })
  expect(without(problems, 'display_name')).toBe(problems)
})
