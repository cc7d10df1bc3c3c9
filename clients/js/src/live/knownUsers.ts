/**
 * The users whose names and pictures are shown, read anew after an absence: `user:updated` is sent to who is connected, and
 * changes of users are no part of `sync`.
 */
import type { User } from '../contracts.js'
import type { ChatStore } from '../chat/store.js'
import { Timer } from '../timing.js'
import type { Connection } from './connection.js'
import type { Loader } from './loading.js'

/** All clients of a gateway reconnect at once when it restarts. */
const SPREAD_MS = 2_000
const RETRY_MS = 10_000
/** Of a very long session not all; who was not looked at for longest keeps the name of before. */
const MAX_USERS = 2_000

export class KnownUsers {
  private readonly due: Timer
  private isReading = false

  constructor(
    private readonly chat: ChatStore,
    private readonly connection: Pick<Connection, 'isLive'>,
    private readonly loader: Pick<Loader, 'reloadUsers'>,
    /** Gets the session's own user where it has changed. */
    private readonly onOwn: (user: User) => void,
    signal: AbortSignal,
  ) {
    this.due = new Timer(signal)
  }

  readAnewSoon(): void {
    this.due.restart(Math.random() * SPREAD_MS, () => void this.readAnew())
  }

  private async readAnew(): Promise<void> {
    // Without a connection it is done after the next `ready`.
    if (!this.connection.isLive) return
    if (this.isReading) return this.due.start(SPREAD_MS, () => void this.readAnew())
    this.isReading = true
    try {
      const before = this.own
      await this.loader.reloadUsers(this.ids())
      if (this.own !== undefined && this.own !== before) this.onOwn(this.own)
    } catch {
      this.due.start(RETRY_MS, () => void this.readAnew())
    } finally {
      this.isReading = false
    }
  }

  private get own(): User | undefined {
    return this.chat.current.users[this.chat.me]
  }

  /** Oneself, whom one has direct conversations with, and the others, the latest first. */
  private ids(): string[] {
    const { me, threads, users } = this.chat.current
    const peers = Object.values(threads).flatMap(({ snapshot }) => snapshot?.peer?.id ?? [])
    return [...new Set([me, ...peers, ...Object.keys(users).reverse()])].slice(0, MAX_USERS)
  }
}
