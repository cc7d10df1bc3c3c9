import { createStore, type StoreApi } from 'zustand/vanilla'
import type { NotificationSettings } from '@/contracts'
import type { Rest } from '@/lib/http'

export type Level = NonNullable<NotificationSettings['level']>

export const DEFAULT_SETTINGS: NotificationSettings = { level: 'all', muted_until: null }

/** No event is sent for a change on another device: before a notification, what is older than this is read again. */
const FRESH_MS = 10_000
/** So many are read one after the other at the start, so that the count in the title is right. */
const MAX_AHEAD = 50

interface Known {
  settings: NotificationSettings
  readAt: number
}

const urlOf = (id: string): string => `/v1/notification-settings/${id}`

/** What each conversation may notify of, as the server stores it for all of a user's devices. */
export class NotificationSettingsCache {
  readonly known: StoreApi<Readonly<Record<string, Known>>> = createStore(() => ({}))
  private readonly requested = new Set<string>()

  constructor(private readonly rest: Rest) {}

  /** Read the settings of a conversation; what cannot be read has the default. */
  readOrDefault(id: string): Promise<NotificationSettings> {
    return this.read(id).catch(() => DEFAULT_SETTINGS)
  }

  async read(id: string, freshMs = FRESH_MS): Promise<NotificationSettings> {
    const known = this.known.getState()[id]
    if (known !== undefined && Date.now() - known.readAt < freshMs) return known.settings
    const settings = await this.rest.call<NotificationSettings>({ url: urlOf(id) })
    this.remember(id, settings)
    return settings
  }

  async put(id: string, settings: NotificationSettings): Promise<void> {
    await this.rest.call<void>({ method: 'PUT', url: urlOf(id), data: settings })
    this.remember(id, settings)
  }

  /** Read those that were not read yet, one by one; the default applies to what fails until it is needed. */
  async readAhead(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      if (this.requested.has(id) || this.requested.size >= MAX_AHEAD) continue
      this.requested.add(id)
      await this.read(id, Infinity).catch(() => undefined)
    }
  }

  private remember(id: string, settings: NotificationSettings): void {
    this.known.setState({ [id]: { settings, readAt: Date.now() } })
  }
}
