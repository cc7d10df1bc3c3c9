/** Users for the tests: each has a browser of their own, and a name that no other test uses. */
import {
  test as base,
  expect,
  type APIRequestContext,
  type Browser,
  type BrowserContext,
  type Page,
} from '@playwright/test'
import type { Conversation, Message, Tokens } from '@synctalk/client/contracts'

export const PASSWORD = 'a long enough passphrase'

type StorageState = Awaited<ReturnType<BrowserContext['storageState']>>

let counter = 0

/** Letters and digits that no other run or worker has. */
const unique = (): string => `${Date.now().toString(36)}${process.pid.toString(36)}${String((counter += 1))}`

export interface Account {
  username: string
  name: string
  tokens: Tokens
}

export async function createAccount(
  request: APIRequestContext,
  name: string,
  username = `${name.toLowerCase().replaceAll(/[^a-z]/g, '')}.${unique()}`.slice(0, 32),
): Promise<Account> {
  const answer = await request.post('/v1/auth/register', {
    data: { username, password: PASSWORD, display_name: name, device_name: 'Chrome on Linux' },
  })
  expect(answer.status(), await answer.text()).toBe(201)
  return { username, name, tokens: (await answer.json()) as Tokens }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export async function callAs<T>(
  request: APIRequestContext,
  { tokens }: Account,
  method: Method,
  url: string,
  data?: object,
): Promise<T> {
  const answer = await request.fetch(url, {
    method,
    headers: { Authorization: `Bearer ${tokens.access_token}` },
    ...(data === undefined ? {} : { data }),
  })
  expect(answer.ok(), `${method} ${url}: ${await answer.text()}`).toBe(true)
  return (answer.status() === 204 ? undefined : await answer.json()) as T
}

export const postAs = (
  request: APIRequestContext,
  account: Account,
  conversationId: string,
  body: string,
): Promise<Message> =>
  callAs(request, account, 'POST', `/v1/conversations/${conversationId}/messages`, {
    client_message_id: unique(),
    body,
  })

/** The same user, signed in once more. */
export async function signInAgain(request: APIRequestContext, account: Account): Promise<Account> {
  const data = { username: account.username, password: PASSWORD, device_name: 'Chrome on Linux' }
  const answer = await request.post('/v1/auth/login', { data })
  expect(answer.status(), await answer.text()).toBe(200)
  return { ...account, tokens: (await answer.json()) as Tokens }
}

/** What the browser of someone who has signed in before keeps; good for one browser, as the refresh token is. */
export function signedIn({ tokens }: Account, baseURL = ''): StorageState {
  const { origin, hostname } = new URL(baseURL)
  const { session_id, user } = tokens
  return {
    cookies: [
      {
        name: 'synctalk_refresh',
        value: tokens.refresh_token,
        domain: hostname,
        path: '/v1/auth',
        expires: -1,
        httpOnly: true,
        secure: false,
        sameSite: 'Strict',
      },
    ],
    origins: [
      {
        origin,
        localStorage: [{ name: 'synctalk.session', value: JSON.stringify({ session_id, user }) }],
      },
    ],
  }
}

/** A user who calls the API and has no page open. */
export class AbsentUser {
  constructor(
    readonly account: Account,
    private readonly request: APIRequestContext,
  ) {}

  get id(): string {
    return this.account.tokens.user.id
  }

  get name(): string {
    return this.account.name
  }

  /** Call the API as this user, beside any page. */
  call<T>(method: Method, url: string, data?: object): Promise<T> {
    return callAs(this.request, this.account, method, url, data)
  }

  async directWith(other: { id: string }): Promise<string> {
    const data = { type: 'direct', member_ids: [other.id] }
    return (await this.call<Conversation>('POST', '/v1/conversations', data)).id
  }

  async group(title: string, others: readonly { id: string }[]): Promise<string> {
    const data = { type: 'group', title, member_ids: others.map(({ id }) => id) }
    return (await this.call<Conversation>('POST', '/v1/conversations', data)).id
  }

  post(conversationId: string, body: string): Promise<Message> {
    return postAs(this.request, this.account, conversationId, body)
  }
}

/** A user with a browser window of their own. */
export class User extends AbsentUser {
  constructor(
    account: Account,
    readonly context: BrowserContext,
    readonly page: Page,
    request: APIRequestContext,
  ) {
    super(account, request)
  }

  /** By the list, as users do. */
  async open(conversationId: string): Promise<void> {
    await this.page.locator(`nav a[href="/c/${conversationId}"]`).click()
    await expect(this.composer).toBeVisible()
  }

  /** By the address: the page is loaded anew. */
  async visit(conversationId: string): Promise<void> {
    await this.page.goto(`/c/${conversationId}`)
    await expect(this.composer).toBeVisible()
  }

  get composer() {
    return this.page.getByRole('textbox', { name: /^(?:Message|Nachricht an|رسالة إلى) / })
  }

  get history() {
    return this.page.getByRole('log', { name: 'Messages' })
  }

  message(text: string) {
    return this.history.getByRole('article').filter({ hasText: text })
  }

  /** The state that is shown beside an own message. */
  async expectMark(text: string, state: 'sending' | 'sent' | 'delivered' | 'read' | 'failed'): Promise<void> {
    await expect(this.message(text).locator('[data-mark]')).toHaveAttribute('data-mark', state)
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text)
    await this.composer.press('Enter')
  }

  row(name: string) {
    return this.page.getByRole('navigation', { name: 'Conversations' }).getByRole('link', { name })
  }
}

type ContextOptions = Parameters<Browser['newContext']>[0]

interface Fixtures {
  calls: APIRequestContext
  /** A user who has signed up and has no page open: a page costs as much as all else that a test does. */
  absent: (name: string) => Promise<AbsentUser>
  /** A user who is signed in and sees the list. */
  user: (name: string, options?: ContextOptions, username?: string) => Promise<User>
}

export const test = base.extend<Fixtures>({
  calls: async ({ playwright, baseURL }, use) => {
    const calls = await playwright.request.newContext({ ...(baseURL === undefined ? {} : { baseURL }) })
    await use(calls)
    await calls.dispose()
  },
  absent: async ({ calls }, use) => {
    await use(async (name) => new AbsentUser(await createAccount(calls, name), calls))
  },
  user: async ({ browser, calls, baseURL }, use) => {
    const opened: BrowserContext[] = []
    const broken: string[] = []
    await use(async (name, options = {}, username = undefined) => {
      const account = await createAccount(calls, name, username)
      const context = await browser.newContext({ ...options, storageState: signedIn(account, baseURL) })
      opened.push(context)
      context.on('weberror', (error) => broken.push(String(error.error())))
      context.on('console', (line) => {
        if (line.text().includes('Content Security Policy')) broken.push(line.text())
      })
      const page = await context.newPage()
      await page.goto('/')
      await expect(page.locator('header button[aria-haspopup="menu"]').first()).toBeVisible()
      return new User(account, context, page, calls)
    })
    for (const context of opened) await context.close()
    expect(broken, 'nothing was thrown, and nothing broke the page’s policy').toEqual([])
  },
})

/** A headless page is always in front: here it is made to think otherwise, or again. */
export async function look(page: Page, visible: boolean): Promise<void> {
  await page.evaluate((shown) => {
    Object.defineProperty(document, 'visibilityState', {
      configurable: true,
      get: () => (shown ? 'visible' : 'hidden'),
    })
    document.dispatchEvent(new Event('visibilitychange'))
  }, visible)
}

export { expect }
