import { createStore, type StoreApi } from 'zustand/vanilla'
import type { User } from '../contracts.js'
import type { ChatStore } from '../chat/store.js'
import type { Rest } from '../http.js'

const PAGE = 100
const MAX_PAGES = 10
const URL = '/v1/users/me/blocks'

/** Whom the user has blocked: read when it is first wanted, and after an absence, as no event says it. */
export class Blocks {
  /** Null while it is not known. */
  readonly blocked: StoreApi<{ ids: ReadonlySet<string> | null }> = createStore(() => ({ ids: null }))
  private reading: Promise<void> | null = null

  constructor(
    private readonly rest: Rest,
    private readonly chat: ChatStore,
  ) {}

  /** Read the list, unless it is known; concurrent calls share one. */
  load(): Promise<void> {
    if (this.blocked.getState().ids !== null) return Promise.resolve()
    this.reading ??= this.read().finally(() => (this.reading = null))
    return this.reading
  }

  async block(userId: string): Promise<void> {
    await this.rest.call<void>({ method: 'PUT', url: `${URL}/${userId}` })
    await this.load()
    this.change((ids) => ids.add(userId))
  }

  async unblock(userId: string): Promise<void> {
    await this.rest.call<void>({ method: 'DELETE', url: `${URL}/${userId}` })
    await this.load()
    this.change((ids) => ids.delete(userId))
  }

  /** Read the list anew, if it is known: another device, or a claimed guest, may have changed it. */
  refresh(): void {
    if (this.blocked.getState().ids === null) return
    this.reading ??= this.read().finally(() => (this.reading = null))
    // What fails here is as it was, until the next refresh.
    this.reading.catch(() => undefined)
  }

  private change(apply: (ids: Set<string>) => unknown): void {
    const ids = new Set(this.blocked.getState().ids)
    apply(ids)
    this.blocked.setState({ ids })
  }

  private async read(): Promise<void> {
    const ids = new Set<string>()
    for await (const users of this.rest.pages<User>(URL, { limit: PAGE }, MAX_PAGES)) {
      for (const user of users) ids.add(user.id)
      this.chat.dispatch({ type: 'users', users })
    }
    this.blocked.setState({ ids })
  }
}
