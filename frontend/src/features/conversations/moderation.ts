/** What moderators do to a member; an event says what came of it. */
import type { Rest } from '@synctalk/client/http'

export interface NewBan {
  reason: string
  /** Null: until it is lifted. */
  until: string | null
}

export const ban = (rest: Rest, id: string, userId: string, data: NewBan): Promise<void> =>
  rest.call<void>({ method: 'PUT', url: `/v1/conversations/${id}/bans/${userId}`, data })

const muteUrl = (id: string, userId: string): string => `/v1/conversations/${id}/members/${userId}/mute`

/** Let a member read and not write; `until` null: until it is lifted. */
export const mute = (rest: Rest, id: string, userId: string, until: string | null): Promise<void> =>
  rest.call<void>({ method: 'PUT', url: muteUrl(id, userId), data: { until } })

export const unmute = (rest: Rest, id: string, userId: string): Promise<void> =>
  rest.call<void>({ method: 'DELETE', url: muteUrl(id, userId) })
