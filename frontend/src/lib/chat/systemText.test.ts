import { expect, test } from 'vitest'
import { ME, message } from '@synctalk/client/chat/samples'
import { systemText, usersNamedIn } from './systemText'

const say = (system: Record<string, unknown>, sender_id = 'ada'): string =>
  systemText(message(1, 1, { system, sender_id, body: 'in the server’s words' }), ME, (id) =>
    id.toUpperCase(),
  )

test.each([
  [{ type: 'created' }, 'ADA created the group'],
  [{ type: 'member_added', user_ids: ['ben', ME], by: 'ada' }, 'ADA added BEN and you'],
  [{ type: 'member_added', user_ids: ['ada'], by: 'ada' }, 'ADA joined'],
  [{ type: 'member_removed', user_ids: ['ben'], by: 'ada' }, 'ADA removed BEN'],
  [{ type: 'member_left' }, 'ADA left'],
  [{ type: 'renamed', title: 'Launch' }, 'ADA renamed the group to “Launch”'],
  [{ type: 'described' }, 'ADA changed the description'],
  [{ type: 'pinned', message_id: 'it' }, 'ADA pinned a message'],
  [{ type: 'archived' }, 'ADA archived the group'],
  [{ type: 'unarchived' }, 'ADA brought the group back from the archive'],
  [{ type: 'settings' }, 'ADA changed the group’s settings'],
  [{ type: 'of a later version' }, 'in the server’s words'],
  [{ type: 'renamed', title: 7 }, 'in the server’s words'],
])('%j', (system, words) => {
  expect(say(system)).toBe(words)
})

test('what one did oneself', () => {
  expect(say({ type: 'member_left' }, ME)).toBe('You left')
  expect(say({ type: 'member_added', user_ids: [ME], by: ME }, ME)).toBe('You joined')
})

test('the users that are named', () => {
  expect(usersNamedIn(message(1, 1, { system: { type: 'member_added', user_ids: ['ben'] } }))).toEqual([
    'ada',
    'ben',
  ])
  expect(usersNamedIn(message(1, 1, { system: { type: 'created', user_ids: 'none' } }))).toEqual(['ada'])
})
