import type { Member, ServerConversation } from '../contracts.js'
import type { Metadata, RestApi } from '../client/rest.js'

/** Return how a user or a conversation is named by what the app calls it, where an id may stand as well. */
export const external = (externalId: string): string => `external:${externalId}`

/** What makes or changes a group; what is left out keeps its value. */
export interface GroupFields {
  owner?: string
  title?: string | null
  description?: string
  avatar_url?: string | null
  metadata?: Metadata
  system_messages?: boolean
  visibility?: 'private' | 'public'
  posting?: 'everyone' | 'admins'
  slow_mode_s?: number
}

/**
 * `Server.conversations`: conversations by the names that the app gives them (scope `conversations`).
 *
 * Users are given by id, or by `external(…)`.
 */
export class ServerConversations {
  constructor(private readonly rest: RestApi) {}

  /** Make or change the group that the app calls so. All of its members are needed to make one. */
  put(
    externalId: string,
    memberIds?: readonly string[],
    fields: GroupFields = {},
  ): Promise<ServerConversation> {
    const json = { type: 'group', ...fields, member_ids: memberIds }
    return this.rest.call({ method: 'PUT', path: pathOf(externalId), json })
  }

  /** Give the direct conversation of two users, a new one if there is none, this name. */
  putDirect(externalId: string, one: string, other: string): Promise<ServerConversation> {
    const json = { type: 'direct', member_ids: [one, other] }
    return this.rest.call({ method: 'PUT', path: pathOf(externalId), json })
  }

  get(externalId: string): Promise<ServerConversation> {
    return this.rest.call({ path: pathOf(externalId) })
  }

  /** Return any conversation, by id or by `external(…)`. */
  find(conversation: string): Promise<ServerConversation> {
    return this.rest.call({ path: `/v1/conversations/${encodeURIComponent(conversation)}` })
  }

  /** Delete a group for everybody, with all that is in it; its name is free then. */
  delete(externalId: string): Promise<void> {
    return this.rest.call({ method: 'DELETE', path: pathOf(externalId) })
  }

  addMember(externalId: string, user: string): Promise<Member> {
    return this.rest.call({ method: 'POST', path: memberOf(externalId, user) }, { repeatable: true })
  }

  removeMember(externalId: string, user: string): Promise<void> {
    return this.rest.call({ method: 'DELETE', path: memberOf(externalId, user) })
  }
}

const pathOf = (externalId: string): string => `/v1/server/conversations/${encodeURIComponent(externalId)}`
const memberOf = (externalId: string, user: string): string =>
  `${pathOf(externalId)}/members/${encodeURIComponent(user)}`
