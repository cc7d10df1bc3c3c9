import { AxeBuilder } from '@axe-core/playwright'
import type { APIRequestContext, Browser, FrameLocator, Page } from '@playwright/test'
import type { Conversation, Tokens } from '@synctalk/client/contracts'
import { HostPage, jwtFor } from './hostPage'
import { callAs, expect, test, type Account } from './users'

// One origin is allowed, so there is one such page at a time.
test.describe.configure({ mode: 'default', timeout: 240_000 })

const ORIGIN = process.env.SYNCTALK_ALLOWED_ORIGINS ?? ''
let host: HostPage

test.beforeAll(async ({ baseURL }) => {
  host = new HostPage(baseURL ?? '')
  await host.listen(Number(new URL(ORIGIN).port))
})

test.afterAll(() => host.close())

let counter = 0

/** Somebody whom the host app knows, and who has been here before. */
async function customer(request: APIRequestContext, name: string): Promise<Account & { sub: string }> {
  const sub = `${name}-${String(Date.now())}-${String((counter += 1))}`
  const answer = await request.post('/v1/auth/exchange', { data: { token: jwtFor(sub, name) } })
  expect(answer.status(), await answer.text()).toBe(200)
  const tokens = (await answer.json()) as Tokens
  return { username: tokens.user.username, name, tokens, sub }
}

async function opened(browser: Browser, url = host.url): Promise<{ page: Page; chat: FrameLocator }> {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(url)
  return { page, chat: page.frameLocator('iframe') }
}

const composerIn = (chat: FrameLocator) => chat.getByRole('textbox', { name: /^Message / })
const button = (page: Page, name = 'Chat') => page.getByRole('button', { name, exact: true })

test('a user of another product chats in its page', async ({ user, browser, request }) => {
  const ben = await user('Ben')
  const ada = await customer(request, 'Ada')
  const id = await ben.call<Conversation>('POST', '/v1/conversations', {
    type: 'direct',
    member_ids: [ada.tokens.user.id],
  })
  host.answer = () => ({ token: jwtFor(ada.sub, 'Ada') })
  host.embed({
    'data-conversation': id.id,
    'data-accent': 'rebeccapurple',
    'data-background': 'url(https://example.org/x)',
    'data-text': 'var(--accent)',
  })
  const { page, chat } = await opened(browser)
  await page.evaluate(() => {
    const counts: number[] = []
    Object.assign(window, { counts })
    window.SyncTalk?.on('unread', (count) => counts.push(count))
  })
  await expect(button(page)).toHaveAttribute('aria-expanded', 'false')

  // What comes meanwhile is counted, and not read.
  await ben.visit(id.id)
  await ben.say('Can I help?')
  await expect(button(page, 'Chat, 1 unread message')).toBeVisible()
  await expect(page.getByRole('status').filter({ hasText: '1 unread message' })).toBeAttached()
  await ben.expectMark('Can I help?', 'delivered')

  // By keys alone: there, a word, and back.
  await button(page, 'Chat, 1 unread message').focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog', { name: 'Chat' })).toBeVisible()
  await expect(chat.getByRole('article').filter({ hasText: 'Can I help?' })).toBeVisible()
  await expect(composerIn(chat)).toBeFocused()
  await page.keyboard.type('Where is my parcel?')
  await page.keyboard.press('Enter')
  await expect(ben.message('Where is my parcel?')).toBeVisible()
  await ben.expectMark('Can I help?', 'read')
  await expect(button(page)).toHaveAttribute('aria-expanded', 'true')
  const found = await new AxeBuilder({ page }).analyze()
  expect(found.violations.map(({ id: rule, nodes }) => `${rule}: ${nodes[0]?.html ?? ''}`)).toEqual([])
  await page.keyboard.press('Escape')
  await expect(page.getByRole('dialog')).toBeHidden()
  await expect(button(page)).toBeFocused()
  expect(await page.evaluate(() => (window as unknown as { counts: number[] }).counts)).toEqual([1, 0])

  // Colours are colours; no token is kept anywhere.
  const frame = page.frames().find((one) => one.url().endsWith('/embed'))
  const kept = await frame?.evaluate(() => ({
    style: document.documentElement.getAttribute('style'),
    local: Object.values({ ...localStorage }).join(),
    session: sessionStorage.length,
    cookie: document.cookie,
  }))
  expect(kept?.style).toContain('--accent: rebeccapurple')
  expect(kept?.style).not.toMatch(/url|--text/)
  expect(kept?.local).not.toMatch(/token|session/)
  expect([kept?.session, kept?.cookie]).toEqual([0, ''])
  expect(await page.context().cookies()).toEqual([])
  await page.context().close()
})

test('the page is asked again when the token ends, and opens by its own calls', async ({
  user,
  browser,
  request,
}) => {
  const ben = await user('Ben')
  const ada = await customer(request, 'Ada')
  const name = `ticket/${String(Date.now())}`
  const made = await request.put(`/v1/server/conversations/${encodeURIComponent(name)}`, {
    headers: { Authorization: `Bearer ${process.env.SYNCTALK_KEY ?? ''}` },
    data: { type: 'group', title: 'A parcel', member_ids: [ben.id, ada.tokens.user.id] },
  })
  expect(made.status(), await made.text()).toBe(201)
  const { id } = (await made.json()) as Conversation
  let first = true
  // Tokens of ours, from a backend without JWTs, and later a JWT.
  host.answer = () => {
    if (!first) return { token: jwtFor(ada.sub, 'Ada') }
    first = false
    return ada.tokens
  }
  host.embed({ 'data-conversation': `external:${name}` })
  const { page, chat } = await opened(browser)
  await page.evaluate(() => window.SyncTalk?.open())
  await expect(composerIn(chat)).toBeVisible()
  // Once before the end, and once past it.
  await expect.poll(() => host.asked, { timeout: 90_000 }).toBeGreaterThanOrEqual(3)
  await ben.visit(id)
  await ben.say('Still there?')
  await expect(chat.getByRole('article').filter({ hasText: 'Still there?' })).toBeVisible()
  await composerIn(chat).fill('Yes.')
  await composerIn(chat).press('Enter')
  await expect(ben.message('Yes.')).toBeVisible()
  await page.evaluate(() => window.SyncTalk?.toggle())
  await expect(page.getByRole('dialog')).toBeHidden()
  await page.context().close()
})

test('whom the page does not know is a guest, by an invite', async ({ user, browser }) => {
  const ben = await user('Ben')
  const id = await ben.group('A shop', [])
  const { code } = await ben.call<{ code: string }>('POST', `/v1/conversations/${id}/invites`, {})
  host.answer = null
  host.embed({ 'data-conversation': id, 'data-invite': code })
  const { page, chat } = await opened(browser)
  await expect.poll(() => host.asked).toBe(1)
  // Nobody is made for a visitor who never asks.
  await expect(page.locator('iframe')).toHaveCount(0)
  await button(page).click()
  await composerIn(chat).fill('Are you open?')
  await composerIn(chat).press('Enter')
  await ben.visit(id)
  await expect(ben.message('Are you open?')).toBeVisible()
  await page.context().close()
})

test('who can’t be let in is asked to sign in, and comes in after that', async ({
  user,
  browser,
  request,
}) => {
  const ben = await user('Ben')
  const ada = await customer(request, 'Ada')
  const { id } = await callAs<Conversation>(request, ada, 'POST', '/v1/conversations', {
    type: 'direct',
    member_ids: [ben.id],
  })
  host.answer = () => ({ token: `${jwtFor(ada.sub, 'Ada')}x` })
  host.embed({ 'data-conversation': id })
  const { page, chat } = await opened(browser)
  await button(page).click()
  await expect(chat.getByText('Sign in to chat')).toBeVisible()
  host.answer = () => ({ token: jwtFor(ada.sub, 'Ada') })
  await chat.getByRole('button', { name: 'I’ve signed in' }).click()
  await expect(composerIn(chat)).toBeVisible()
  await page.context().close()
})

test('a page of an origin that is not allowed gets no frame, and gives no token away', async ({
  baseURL,
  browser,
  request,
}) => {
  const other = new HostPage(baseURL ?? '')
  await other.listen(0)
  const ada = await customer(request, 'Ada')
  other.answer = () => ({ token: jwtFor(ada.sub, 'Ada') })
  other.embed({})
  const context = await browser.newContext()
  const page = await context.newPage()
  const refused = page.waitForEvent('console', (line) => line.text().includes('frame-ancestors'))
  await page.goto(other.url)
  await refused
  await button(page).click()
  await expect(page.frameLocator('iframe').getByText(/Sign in|Message/)).toHaveCount(0)
  expect(page.frames().map((frame) => frame.url())).not.toContain(`${baseURL ?? ''}/embed`)
  expect(other.asked).toBe(1)
  await context.close()
  await other.close()
})
