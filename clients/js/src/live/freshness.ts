/**
 * Refreshes what events alone leave open: a conversation that is only known from an event, a count that became an
 * estimate, users without a name. Coalesced, and for one conversation at most every two seconds.
 */
import type { ChatStore } from '../chat/store.js'
import { hasCode } from '../errors.js'
import { Timer } from '../timing.js'
import type { Loader } from './loading.js'

const SETTLE_MS = 250
const AT_MOST_EVERY_MS = 2_000

export class Freshness {
  private readonly requestedAt = new Map<string, number>()
  private readonly dueConversations = new Set<string>()
  private readonly dueUsers = new Set<string>()
  private readonly timer: Timer
  private readonly pause: Timer

  constructor(
    private readonly chat: ChatStore,
    private readonly loader: Loader,
    signal: AbortSignal,
  ) {
    this.timer = new Timer(signal)
    this.pause = new Timer(signal)
  }

  /** Refresh a conversation if what is known of it is incomplete. */
  check(id: string): void {
    const thread = this.chat.thread(id)
    if (thread.removedAt !== null) return
    const isUnknown = thread.snapshot === null
    const isOld = thread.staleAt !== null && (thread.snapshot?.change_seq ?? 0) < thread.staleAt
    if (isUnknown || isOld || this.chat.summary(id)?.inexact === true) this.refreshSoon(id)
  }

  refreshSoon(id: string): void {
    this.dueConversations.add(id)
    this.schedule()
  }

  wantUser(id: string): void {
    this.dueUsers.add(id)
    this.schedule()
  }

  private schedule(): void {
    this.timer.start(SETTLE_MS, () => {
      this.loadUsers()
      this.loadConversations(Date.now())
    })
  }

  private loadUsers(): void {
    const ids = [...this.dueUsers]
    this.dueUsers.clear()
    // Who stays unknown is shown without a name; the next view that needs it requests it again.
    if (ids.length > 0) this.loader.loadUsers(ids).catch(() => undefined)
  }

  private loadConversations(now: number): void {
    for (const id of this.dueConversations) {
      if (now - (this.requestedAt.get(id) ?? -Infinity) < AT_MOST_EVERY_MS) continue
      this.dueConversations.delete(id)
      if (this.chat.thread(id).removedAt !== null) continue
      this.requestedAt.set(id, now)
      this.loader.loadConversation(id).catch((error: unknown) => {
        if (hasCode(error, 'not_found'))
          this.chat.dispatch({ type: 'removed', conversation_id: id, change_seq: null })
      })
    }
    if (this.dueConversations.size > 0) this.pause.start(AT_MOST_EVERY_MS, () => this.schedule())
  }
}
