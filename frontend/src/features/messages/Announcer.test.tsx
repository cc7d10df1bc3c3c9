import { act, cleanup, render } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import type { Message } from '@synctalk/client/contracts'
import { LiveSessionContext } from '@/lib-react/session'
import { Auth } from '@synctalk/client/auth/auth'
import { message, ROOM } from '@synctalk/client/chat/samples'
import { LiveSession } from '@synctalk/client/live/session'
import { Announcer } from './overlays'

afterEach(cleanup)

test('the same words three times: three additions to what is read out', async () => {
  const live = new LiveSession(new Auth(), 'me', 'session')
  const listeners = new Set<(message: Message) => void>()
  live.onMessage = (listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const { container } = render(
    <LiveSessionContext value={live}>
      <Announcer threadId={null} conversationId={ROOM} />
    </LiveSessionContext>,
  )
  const region = container.querySelector('[aria-live="polite"]')
  const added: string[] = []
  const observer = new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) added.push(node.textContent ?? '')
  })
  observer.observe(region as Element, { childList: true, subtree: true, characterData: true })
  for (const seq of [1, 2, 3]) {
    act(() => listeners.forEach((listener) => listener(message(seq, seq, { body: 'ok' }))))
    await Promise.resolve()
  }
  expect(added).toEqual(['Someone: ok', 'Someone: ok', 'Someone: ok'])
})
