import { expect, test } from 'vitest'
import type { PushData } from '@synctalk/client/contracts'
import { noticeOf, pushIn, tagOf } from './notice'

const DATA: PushData = {
  type: 'message',
  conversation_id: 'c',
  message_id: 'm',
  seq: '7',
  badge: '1',
  sender_name: 'Ada',
  title: 'Team',
  text: 'hello',
  thread_id: '',
}

test.each([
  ['full', {}, 'Ada · Team', 'hello'],
  ['full, direct', { title: '' }, 'Ada', 'hello'],
  ['sender', { text: '' }, 'Ada · Team', 'Neue Nachricht'],
  ['none', { text: '', title: '', sender_name: '' }, 'SyncTalk', 'Neue Nachricht'],
])('what is shown says what the content “%s” allows', (_content, data, title, body) => {
  const notification = { title: null, body: 'Neue Nachricht' }
  expect(noticeOf({ data: { ...DATA, ...data }, notification }, 'New message')).toMatchObject({ title, body })
})

test('where the server says nothing, the notification is in the language that the page had last', () => {
  const data = { ...DATA, text: '', title: '', sender_name: '' }
  expect(noticeOf({ data, notification: null }, 'رسالة جديدة')).toMatchObject({ body: 'رسالة جديدة' })
})

test('a thread has a notification of its own', () => {
  const { kept } = noticeOf({ data: { ...DATA, thread_id: 't' }, notification: null }, 'New message')
  expect([kept.seq, tagOf(kept)]).toEqual([7, 't'])
})

test.each(['', 'null', '{}', '{"data": {}}', 'no JSON'])('%j is no push', (text) => {
  expect(pushIn(text)).toBeNull()
})
