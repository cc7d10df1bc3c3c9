/** The client of one user or bot: `await Client.signIn(url, bot(token))`. */
import type { Message, Presence, Tokens, ToServerEvents, User } from '../contracts.js'
import { hasCode, isPassing } from '../errors.js'
import type { TokenSource } from '../http.js'
import type { Cursors, Event } from './events.js'
import { Http } from './http.js'
import { Live } from './live.js'
import { Outbox, type OnRefused, type OutboxStore, type OutgoingMessage } from './outbox.js'
import { newMessage, RestApi, type MessageOptions, type NewMessage } from './rest.js'
import { retrying } from './retrying.js'
import { fixedToken, SessionTokens, type OnTokens, type SignIn } from './signIn.js'
import { TextStream } from './textStream.js'
import { Turns } from './turns.js'

const SEND_FOR_MS = 60_000
/** The server ends typing after 6 s without a renewal. */
const TYPING_RENEWAL_MS = 4_000

export interface ClientOptions {
  /** Gets the session's tokens whenever they change, before they are used: keep them to `resume` the session later. */
  onTokens?: OnTokens
  /** Ways to connect, tried in this order. */
  transports?: ('websocket' | 'polling')[]
  /**
   * Where messages are stored until the server has them: what a run leaves in it, the next one sends. Without one they
   * are in memory only.
   */
  outbox?: OutboxStore
  /** Gets each message of an earlier run that the server refuses for good; for those of this run `send` throws. */
  onRefused?: OnRefused
}

export interface SendOptions extends MessageOptions {
  /** Not with an outbox: what is in it is tried until the client is closed. */
  giveUpAfterMs?: number
}

export interface StreamOptions {
  threadId?: string
  clientMessageId?: string
}

/** What one user or bot can do. `rest` has every call of the REST interface; `events` is what happens. */
export class Client {
  /** The calls of the REST interface. */
  readonly rest: RestApi
  private readonly abort: AbortController
  private live: Live | null = null
  private readonly sending = new Turns()
  private outbox: Outbox | null = null

  private constructor(
    /** The user, or bot, that this client is. */
    readonly me: User,
    private readonly http: Http,
    private readonly token: TokenSource,
    private readonly session: SessionTokens | null,
    private readonly transports: ('websocket' | 'polling')[],
    abort: AbortController,
  ) {
    this.abort = abort
    this.rest = new RestApi(http, token, abort.signal)
  }

  /** Sign in. Throws `CallError`, `SessionEndedError`. */
  static async signIn(url: string, signIn: SignIn, options: ClientOptions = {}): Promise<Client> {
    const client = await Client.begin(url, signIn, options)
    await client.openOutbox(options)
    return client
  }

  private static async begin(url: string, signIn: SignIn, options: ClientOptions): Promise<Client> {
    const { onTokens = () => undefined, transports = ['websocket'] } = options
    const http = new Http(url)
    const abort = new AbortController()
    const begun = await signIn(http)
    if (typeof begun === 'string') {
      const token = fixedToken(begun)
      const me = await new RestApi(http, token).me()
      return new Client(me, http, token, null, transports, abort)
    }
    await onTokens(begun)
    const session = new SessionTokens(http, begun, onTokens)
    return new Client(begun.user, http, session.token, session, transports, abort)
  }

  /** Close the connection, and end all calls. The session goes on: it can be resumed. */
  close(): void {
    this.live?.close()
    this.abort.abort()
  }

  /** The session's tokens; null for a bot. */
  get tokens(): Tokens | null {
    return this.session?.current ?? null
  }

  /** Whether the socket is connected. */
  get isLive(): boolean {
    return this.live?.connection.isLive ?? false
  }

  /** How far each conversation has been dealt with: given to `events` of a later run, it misses nothing. */
  get cursors(): Cursors {
    return this.live?.cursors ?? {}
  }

  /**
   * Connect, and yield what happens, through lost connections, until the session ends or the client is closed. Once for
   * each client.
   *
   * With `cursors`, what happened since then comes first. Throws `SessionEndedError`, `CallError`.
   */
  events(cursors: Cursors = {}): AsyncGenerator<Event, void, undefined> {
    if (this.live !== null) throw new Error('The events of a client are read once.')
    const { rest, token, transports } = this
    this.live = new Live({ url: this.http.url, token, rest, cursors, transports })
    this.live.open()
    return this.live.events()
  }

  /**
   * Send a message once, by however many tries it takes; those to one conversation in the order of the calls.
   *
   * Throws `CallError`. With a code that is passing (`isPassing`) the time is over, and whether it was sent is open: a
   * repeat with the same `clientMessageId` finds out. With an outbox no time is over: it throws `CallError` for what is
   * refused, `SessionEndedError`, what the outbox throws, or at `close`.
   */
  send(conversationId: string, body: string, options: SendOptions = {}): Promise<Message> {
    const { giveUpAfterMs = SEND_FOR_MS } = options
    const message = newMessage(body, options)
    if (this.outbox !== null)
      return this.outbox.send({ ...message, conversation_id: conversationId, sender_id: this.me.id })
    return this.sending.take(conversationId, () => this.deliver(conversationId, message, giveUpAfterMs))
  }

  /**
   * Wait until no message is on its way, those of an earlier run too.
   *
   * With an outbox, throws what keeps them from being sent: `SessionEndedError`, or that the client was closed.
   */
  flush(): Promise<void> {
    return this.outbox?.flush() ?? this.sending.idle()
  }

  private async openOutbox({ outbox, onRefused = () => undefined }: ClientOptions): Promise<void> {
    if (outbox === undefined) return
    const deliver = ({ conversation_id, sender_id: _, ...message }: OutgoingMessage): Promise<Message> =>
      this.deliver(conversation_id, message, Infinity)
    this.outbox = new Outbox(outbox, this.sending, deliver, onRefused)
    await this.outbox.open(this.me.id)
  }

  private deliver(conversationId: string, message: NewMessage, giveUpAfterMs: number): Promise<Message> {
    return retrying(() => this.sendOnce(conversationId, message), giveUpAfterMs, this.abort.signal)
  }

  private sendOnce(conversationId: string, message: NewMessage): Promise<Message> {
    if (this.live !== null && this.isLive)
      return this.live.send({ conversation_id: conversationId, ...message })
    const path = `/v1/conversations/${encodeURIComponent(conversationId)}/messages`
    return this.rest.callOnce({ method: 'POST', path, json: message })
  }

  edit(conversationId: string, messageId: string, body: string): Promise<Message> {
    return this.rest.edit(conversationId, messageId, body)
  }

  delete(conversationId: string, messageId: string): Promise<void> {
    return this.rest.delete(conversationId, messageId)
  }

  react(conversationId: string, messageId: string, emoji: string): Promise<void> {
    return this.rest.react(conversationId, messageId, emoji)
  }

  /**
   * Send a message while it is written: `write` appends to it, and the message ends when its promise does.
   *
   * Its readers get its text ten times a second. Where `write` fails, the message stays as it is by then, and is marked
   * as interrupted after 30 s.
   */
  async stream(
    conversationId: string,
    write: (stream: TextStream) => Promise<void>,
    options: StreamOptions = {},
  ): Promise<Message> {
    const message = await this.rest.startStream(conversationId, '', options)
    const stream = new TextStream(message, (...given) => this.append(...given))
    try {
      await write(stream)
    } finally {
      await stream.close()
    }
    return this.end(message, stream.text)
  }

  private async append({ conversation_id, id }: Message, at: number, text: string): Promise<number> {
    if (this.live !== null && this.isLive) {
      const payload = { conversation_id, message_id: id, at, text }
      return (await this.live.connection.request('message:stream:append', payload)).at
    }
    return this.rest.appendToStream(conversation_id, id, at, text)
  }

  /** End it by however many tries it takes; that it has ended by one before is no failure. */
  private async end({ conversation_id, id }: Message, body: string): Promise<Message> {
    try {
      const end = (): Promise<Message> => this.rest.endStream(conversation_id, id, body)
      return await retrying(end, SEND_FOR_MS, this.abort.signal)
    } catch (error) {
      if (!hasCode(error, 'conflict')) throw error
      const now = await this.rest.message(conversation_id, id)
      if (now.streaming === true || now.interrupted === true) throw error
      return now
    }
  }

  /** Mark all messages up to `seq` as received. What is lost with a connection is not repeated. */
  markDelivered(conversationId: string, seq: number): Promise<void> {
    return this.emit('receipt:delivered', { conversation_id: conversationId, seq })
  }

  /** Mark all messages up to `seq` as read. */
  markRead(conversationId: string, seq: number): Promise<void> {
    return this.rest.markRead(conversationId, seq)
  }

  /** Show as typing while `work` goes on. */
  async typing<T>(conversationId: string, work: () => Promise<T>): Promise<T> {
    const start = (): Promise<void> => this.emit('typing:start', { conversation_id: conversationId })
    await start()
    const renewing = setInterval(() => void start(), TYPING_RENEWAL_MS)
    try {
      return await work()
    } finally {
      clearInterval(renewing)
      await this.emit('typing:stop', { conversation_id: conversationId })
    }
  }

  /** Return the presence of users now; `presence.changed` follows, also after a reconnect. 200 users at most. */
  watchPresence(userIds: readonly string[]): Promise<Presence[]> {
    return this.connected().watch(userIds)
  }

  unwatchPresence(userIds: readonly string[]): Promise<void> {
    return this.connected().unwatch(userIds)
  }

  /** Emit what may be lost. */
  private async emit<E extends keyof ToServerEvents>(event: E, payload: ToServerEvents[E]): Promise<void> {
    if (this.live === null) return
    try {
      await this.live.connection.request(event, payload)
    } catch (error) {
      if (!isPassing(error)) throw error
    }
  }

  private connected(): Live {
    if (this.live === null) throw new Error('Read `events` first: they are what connects.')
    return this.live
  }
}
