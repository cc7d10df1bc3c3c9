import type { ServerUser, Tokens, User } from '../contracts.js'
import { Http } from '../client/http.js'
import { RestApi, type Metadata } from '../client/rest.js'
import { fixedToken } from '../client/signIn.js'
import type { TokenSource } from '../http.js'
import { external, ServerConversations } from './conversations.js'
import { ServerMessages } from './messages.js'
import type {
  CreatedBot,
  CreatedKey,
  CreatedWebhook,
  HostEvent,
  HostEvents,
  ServerKeyInfo,
  UserOutcome,
  WebhookDelivery,
  WebhookInfo,
} from './models.js'

const PAGE = 100
/** How long a reading of the feed waits for an event; less than any call may take. */
const WAIT_S = 10

/** What makes or changes a user; `display_name` is needed to make one, and what is left out keeps its value. */
export interface UserFields {
  display_name?: string
  avatar_url?: string | null
  username?: string
  metadata?: Metadata
  private_metadata?: Metadata
}

export interface FeedOptions {
  types?: readonly string[]
  limit?: number
  /** How long to wait if there is nothing. */
  waitS?: number
}

export interface WebhookChange {
  active?: boolean
  url?: string
  types?: readonly string[]
  description?: string
  rotate_secret?: true
}

/** Calls with a server key (`stk_…`); each needs the scope that it names. */
export class Server {
  readonly conversations: ServerConversations
  readonly messages: ServerMessages
  private readonly abort = new AbortController()
  private readonly http: Http
  private readonly token: TokenSource
  private readonly rest: RestApi

  constructor(url: string, key: string) {
    this.http = new Http(url)
    this.token = fixedToken(key)
    this.rest = new RestApi(this.http, this.token, this.abort.signal)
    this.conversations = new ServerConversations(this.rest)
    this.messages = new ServerMessages(this.rest)
  }

  /** End all calls. */
  close(): void {
    this.abort.abort()
  }

  /** Return the calls of the REST interface, made as this user (scope `act`). */
  actingAs(userId: string): RestApi {
    return new RestApi(this.http, this.token, this.abort.signal, { 'X-SyncTalk-User': userId })
  }

  /** Return the calls made as the user whom the app knows by this id (scope `act`). */
  actingAsExternal(externalId: string): RestApi {
    return this.actingAs(external(encodeURIComponent(externalId)))
  }

  // Users

  /** Make or change the user whom the app knows by this id (scope `users`). */
  putUser(externalId: string, fields: UserFields): Promise<ServerUser> {
    return this.rest.call({ method: 'PUT', path: userPath(externalId), json: fields })
  }

  /** Make or change up to 100 users; what is wrong with one stops no other. */
  async putUsers(users: readonly ({ external_id: string } & UserFields)[]): Promise<UserOutcome[]> {
    const call = { method: 'POST', path: '/v1/server/users', json: { users } } as const
    return (await this.rest.call<{ items: UserOutcome[] }>(call)).items
  }

  user(externalId: string): Promise<ServerUser> {
    return this.rest.call({ path: userPath(externalId) })
  }

  /** End a user's sessions for good (scope `users`). `erase`: the messages too, or who wrote them. */
  deactivateUser(externalId: string, erase?: 'messages' | 'author'): Promise<void> {
    return this.rest.call({ method: 'DELETE', path: userPath(externalId), query: { erase } })
  }

  /** Open a session for a user (scope `tokens`): for apps without JWTs of their own. */
  userTokens(externalId: string): Promise<Tokens> {
    return this.rest.call({ method: 'POST', path: `${userPath(externalId)}/token` })
  }

  // What happened

  /**
   * Return a page of the feed (scope `events`). `after`: `next` of the one before, `'0'` from the oldest, null: none, and
   * where now is.
   */
  readEvents(
    after: string | null,
    { types = [], limit = PAGE, waitS = 0 }: FeedOptions = {},
  ): Promise<HostEvents> {
    const query = {
      after,
      types: types.length === 0 ? undefined : types.join(','),
      limit,
      wait: waitS === 0 ? undefined : waitS,
    }
    return this.rest.call({ path: '/v1/events', query })
  }

  /**
   * Yield what happens, for ever, each event with the place after it: kept when the event was dealt with, and given as
   * `after`, it goes on from there. What was on the way comes again then.
   *
   * Throws `CallError` `gone` when what follows `after` is not kept any more.
   */
  async *events(
    after: string | null = null,
    types: readonly string[] = [],
  ): AsyncGenerator<{ event: HostEvent; place: string }, void, undefined> {
    let place = after ?? (await this.readEvents(null)).next
    while (!this.abort.signal.aborted) {
      const { items, next } = await this.readEvents(place, { types, waitS: WAIT_S })
      const last = items.at(-1)
      for (const event of items) yield { event, place: event === last ? next : place }
      place = next
    }
  }

  /** Have events sent to a URL (scope `webhooks`); its secret is shown only here. */
  createWebhook(url: string, types: readonly string[], description = ''): Promise<CreatedWebhook> {
    return this.rest.call({ method: 'POST', path: '/v1/webhooks', json: { url, types, description } })
  }

  async webhooks(): Promise<WebhookInfo[]> {
    return (await this.rest.call<{ items: WebhookInfo[] }>({ path: '/v1/webhooks' })).items
  }

  changeWebhook(webhookId: string, change: WebhookChange): Promise<WebhookInfo> {
    return this.rest.call({ method: 'PATCH', path: webhookPath(webhookId), json: change })
  }

  /** Send an event `webhook.test`; return the status of the response, null where there was none. */
  async testWebhook(webhookId: string): Promise<number | null> {
    const call = { method: 'POST', path: `${webhookPath(webhookId)}/test` } as const
    return (await this.rest.call<{ status: number | null }>(call)).status
  }

  /** Return the latest deliveries. */
  async webhookDeliveries(webhookId: string): Promise<WebhookDelivery[]> {
    const path = `${webhookPath(webhookId)}/deliveries`
    return (await this.rest.call<{ items: WebhookDelivery[] }>({ path })).items
  }

  /** Have what follows a place of the feed sent again. */
  replayWebhook(webhookId: string, after: string): Promise<void> {
    return this.rest.call({ method: 'POST', path: `${webhookPath(webhookId)}/replay`, json: { after } })
  }

  deleteWebhook(webhookId: string): Promise<void> {
    return this.rest.call({ method: 'DELETE', path: webhookPath(webhookId) })
  }

  // Bots and keys

  /** Make a bot (scope `bots`); its token is shown only here. */
  createBot(username: string, displayName: string): Promise<CreatedBot> {
    const json = { username, display_name: displayName }
    return this.rest.call({ method: 'POST', path: '/v1/server/bots', json })
  }

  /** Yield all bots (scope `bots`), the newest first. */
  bots(): AsyncGenerator<User> {
    return this.rest.items('/v1/server/bots', { limit: PAGE })
  }

  /** Return a new token of a bot (scope `bots`); the old one ends. */
  async renewBotToken(botId: string): Promise<string> {
    const call = { method: 'POST', path: `${botPath(botId)}/token` } as const
    return (await this.rest.call<{ token: string }>(call)).token
  }

  endBot(botId: string): Promise<void> {
    return this.rest.call({ method: 'DELETE', path: botPath(botId) })
  }

  /** Make a server key (scope `keys`) with scopes that one's own has; it is shown only here. */
  createKey(name: string, scopes: readonly string[], expiresAt?: Date): Promise<CreatedKey> {
    const json = { name, scopes, expires_at: expiresAt?.toISOString() }
    return this.rest.call({ method: 'POST', path: '/v1/server/keys', json })
  }

  async keys(): Promise<ServerKeyInfo[]> {
    return (await this.rest.call<{ items: ServerKeyInfo[] }>({ path: '/v1/server/keys' })).items
  }

  revokeKey(keyId: string): Promise<void> {
    return this.rest.call({ method: 'DELETE', path: `/v1/server/keys/${encodeURIComponent(keyId)}` })
  }
}

const userPath = (externalId: string): string => `/v1/server/users/${encodeURIComponent(externalId)}`
const webhookPath = (webhookId: string): string => `/v1/webhooks/${encodeURIComponent(webhookId)}`
const botPath = (botId: string): string => `/v1/server/bots/${encodeURIComponent(botId)}`
