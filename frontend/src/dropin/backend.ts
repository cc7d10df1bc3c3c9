/** The page's own backend, which says who the user is. */
import type { Given } from '../lib/embed/messages'

export class Backend {
  constructor(private readonly tokenUrl: string | undefined) {}

  /** Ask for a token. Whoever the backend knows nothing of is nobody: a guest, where guests are allowed. */
  async ask(): Promise<Given> {
    if (this.tokenUrl === undefined) return 'nobody'
    try {
      const url = new URL(this.tokenUrl, document.baseURI)
      if (url.origin !== window.location.origin)
        throw new Error('data-token-url has another origin than the page')
      const response = await fetch(url, { credentials: 'include', cache: 'no-store', redirect: 'error' })
      if (response.status === 401) return 'nobody'
      if (!response.ok) throw new Error(`data-token-url answers ${String(response.status)}`)
      return given(await response.json())
    } catch (error) {
      // The page's developer has to see it; the panel offers to try again.
      // eslint-disable-next-line no-console
      console.error('SyncTalk:', error)
      return 'failed'
    }
  }
}

function given(answer: unknown): Given {
  if (typeof answer === 'object' && answer !== null) {
    if ('access_token' in answer && typeof answer.access_token === 'string') return answer as Given
    if ('token' in answer && typeof answer.token === 'string') return { token: answer.token }
  }
  throw new Error('data-token-url answers neither {token} nor Tokens')
}
