import { createStore, type StoreApi } from 'zustand/vanilla'
import type {
  AllNotificationSettings,
  GlobalNotificationSettings,
  NotificationSettings,
} from '../contracts.js'
import type { Rest } from '../http.js'

export type Level = NonNullable<NotificationSettings['level']>

const URL = '/v1/notification-settings'
/** No event is sent for a change on another device: before a notification, what is older than this is read again. */
const FRESH_MS = 10_000

const NOTHING_SET: AllNotificationSettings = { settings: {}, conversations: {} }

export interface SettingsChange {
  /** `default`: that for all conversations. */
  level: Level | 'default'
  /** What is left out stays as it is, where the level is `default`. */
  muted_until?: string | null
}

/** Of what a user wants to be notified, as the server stores it for all of their devices; the defaults until it is read. */
export class NotificationSettingsCache {
  readonly known: StoreApi<AllNotificationSettings> = createStore(() => NOTHING_SET)
  private readAt = -Infinity
  private reading: Promise<void> | null = null

  constructor(private readonly rest: Rest) {}

  /** Read the settings, unless they are fresh; concurrent calls share one. What cannot be read stays as it was. */
  read(freshMs = FRESH_MS): Promise<void> {
    if (Date.now() - this.readAt < freshMs) return Promise.resolve()
    this.reading ??= this.readAll()
      .catch(() => undefined)
      .finally(() => (this.reading = null))
    return this.reading
  }

  async put(id: string, change: SettingsChange): Promise<void> {
    await this.rest.call<void>({ method: 'PUT', url: `${URL}/${id}`, data: change })
    await this.readAll()
  }

  /** Change the settings for all conversations; what is left out stays as it is. */
  async putGlobal(change: GlobalNotificationSettings): Promise<void> {
    await this.rest.call<void>({ method: 'PUT', url: URL, data: change })
    await this.readAll()
  }

  private async readAll(): Promise<void> {
    this.known.setState(await this.rest.call<AllNotificationSettings>({ url: URL }), true)
    this.readAt = Date.now()
  }
}
