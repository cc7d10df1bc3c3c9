import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ReadyToClient } from '../contracts.js'
import type { ServerEvent } from './connection.js'
import { followActivity, IDLE_AFTER_MS } from './activity.js'

const READY = { connection_id: 'one', conversations: [], more: false } as unknown as ReadyToClient
const sent: unknown[] = []
let receive = (_event: ServerEvent): void => undefined
let abort: AbortController

const connection: Parameters<typeof followActivity>[0] = {
  notify: (event, payload) => sent.push([event, (payload as { active: boolean }).active]),
  subscribe: (listener) => {
    receive = listener
    return () => true
  },
}

function look(visible: boolean): void {
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(visible ? 'visible' : 'hidden')
  document.dispatchEvent(new Event('visibilitychange'))
}

beforeEach(() => {
  vi.useFakeTimers()
  sent.length = 0
  look(true)
  abort = new AbortController()
  followActivity(connection, abort.signal)
})

afterEach(() => {
  abort.abort()
  vi.useRealTimers()
})

test('a page that is hidden is inactive, and active again when it is shown', () => {
  look(false)
  expect(sent).toEqual([['activity', false]])
  look(true)
  expect(sent).toEqual([
    ['activity', false],
    ['activity', true],
  ])
})

test('no input for five minutes: inactive, until there is some', () => {
  vi.advanceTimersByTime(IDLE_AFTER_MS - 1)
  window.dispatchEvent(new Event('keydown'))
  vi.advanceTimersByTime(IDLE_AFTER_MS - 1)
  expect(sent).toEqual([])
  vi.advanceTimersByTime(1)
  expect(sent).toEqual([['activity', false]])
  window.dispatchEvent(new Event('pointermove'))
  expect(sent.at(-1)).toEqual(['activity', true])
})

test('a new connection is notified of the current state', () => {
  look(false)
  receive({ event: 'ready', payload: READY })
  expect(sent).toEqual([
    ['activity', false],
    ['activity', false],
  ])
})
