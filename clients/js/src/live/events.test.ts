import { describe, expect, test } from 'vitest'
import { conversation, memberChange, message, user, ROOM } from '../chat/samples.js'
import { changeOf } from './events.js'
import { changesOf } from './sync.js'

describe('a live event as a change', () => {
  test('typing counts for a while, unless it is renewed or ended', () => {
    const payload = { conversation_id: ROOM, user_id: 'ada', active: true }
    expect(changeOf({ event: 'typing', payload }, 1_000)).toMatchObject({ until: 8_000 })
    expect(changeOf({ event: 'typing', payload: { ...payload, active: false } }, 1_000)).toMatchObject({
      until: null,
    })
    expect(changeOf({ event: 'typing', payload }, 0)).toMatchObject({ thread_id: null })
    expect(changeOf({ event: 'typing', payload: { ...payload, thread_id: 'root' } }, 0)).toMatchObject({
      thread_id: 'root',
    })
  })

  test('new, edited and deleted messages are all the same change: the message as it is now', () => {
    const payload = message(1, 1)
    for (const event of ['message:new', 'message:updated', 'message:deleted'] as const) {
      expect(changeOf({ event, payload }, 0)).toEqual({ type: 'message', message: payload })
    }
  })

  test('a new name or picture is the user as they are now', () => {
    const payload = { ...user('ada'), display_name: 'Ada King' }
    expect(changeOf({ event: 'user:updated', payload }, 0)).toEqual({ type: 'users', users: [payload] })
  })

  test('what concerns the connection changes nothing', () => {
    expect(changeOf({ event: 'server:draining', payload: { reconnect_in_ms: 5 } }, 0)).toBeNull()
  })
})

describe('an ack of sync as changes', () => {
  test('removed, reset, and what changed', () => {
    expect(changesOf(ROOM, { removed: true })).toEqual([
      { type: 'removed', conversation_id: ROOM, change_seq: null },
    ])
    expect(changesOf(ROOM, { reset: true, change_seq: 9 })).toEqual([
      { type: 'reset', conversation_id: ROOM, change_seq: 9 },
    ])
    const messages = [message(1, 5)]
    const members = [memberChange('ada', 6)]
    const state = { messages, members, conversation: conversation(6), change_seq: 6, more: false }
    expect(changesOf(ROOM, state)).toEqual([
      { type: 'synced', conversation_id: ROOM, messages, members, change_seq: 6 },
      { type: 'conversation', conversation: conversation(6) },
    ])
  })
})
