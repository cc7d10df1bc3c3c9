import { cleanup, render } from '@testing-library/react'
import { afterEach, describe, expect, test } from 'vitest'
import type { ReactElement } from 'react'
import { LiveSessionContext } from '@/lib-react/session'
import { Auth } from '@synctalk/client/auth/auth'
import { user } from '@synctalk/client/chat/samples'
import { LiveSession } from '@synctalk/client/live/session'
import { MAX_PIECES } from '@/lib/text/rich'
import { MessageText } from './MessageText'

afterEach(cleanup)

/** Render for a session that knows one user. */
function renderSignedIn(view: ReactElement) {
  const live = new LiveSession(new Auth(), 'me', 'session')
  live.chat.dispatch({ type: 'users', users: [user('ada')] })
  return render(<LiveSessionContext value={live}>{view}</LiveSessionContext>)
}

describe('MessageText', () => {
  test('who is mentioned is marked, and only where the server found it', () => {
    const { container } = renderSignedIn(
      <MessageText body={'@ada and @ben, `@ada`, https://x.example/@ada'} mentions={['ada']} />,
    )
    const marked = [...container.querySelectorAll('[data-mention]')].map((mark) => mark.textContent)
    expect(marked).toEqual(['@ada'])
  })

  test.each(['`a` ', 'https://a ', '`', 'a@b.co ', '@ada ', '```a```', '*', 'a\n'])(
    '8,000 characters of %j: no more elements than a page can bear',
    (part) => {
      const body = part.repeat(8_000).slice(0, 8_000)
      const { container } = renderSignedIn(<MessageText body={body} mentions={['ada']} />)
      expect(container.querySelectorAll('*').length).toBeLessThan(MAX_PIECES + 5)
      expect(container.textContent.length).toBeGreaterThan(2_000)
    },
  )
})
