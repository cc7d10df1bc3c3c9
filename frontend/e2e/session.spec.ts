import { createAccount, expect, PASSWORD, signedIn, test, type Account } from './users'
import type { BrowserContext, Page } from '@playwright/test'
import type { Tokens } from '@synctalk/client/contracts'

const fill = async (page: Page, username: string, password: string): Promise<void> => {
  await page.getByRole('textbox', { name: 'Username' }).fill(username)
  await page.getByRole('textbox', { name: 'Password' }).fill(password)
}

const account = (page: Page) => page.getByRole('button', { name: 'Your account and status' })

async function signOut(page: Page): Promise<void> {
  await account(page).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
}

test.describe('refused sign-ins', () => {
  test('a wrong password and an unknown username get the same error', async ({ page, request }) => {
    const { username } = await createAccount(request, 'Ada')
    await page.goto('/sign-in')
    for (const name of [username, `${username.slice(0, 20)}.nobody`]) {
      await fill(page, name, 'not the password')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await expect(page.getByRole('alert')).toHaveText('Incorrect username or password.')
    }
  })

  test('without a session every address redirects to the sign-in page', async ({ page }) => {
    await page.goto('/settings')
    await expect(page).toHaveURL(/\/sign-in$/)
    await expect(page.getByRole('textbox', { name: 'Username' })).toBeFocused()
  })

  test('a taken username and a short password show errors at their fields', async ({ page, request }) => {
    const { username } = await createAccount(request, 'Ada')
    await page.goto('/register')
    await fill(page, username.toUpperCase(), 'short')
    await page.getByRole('button', { name: 'Create an account' }).click()
    await expect(page.getByText('Use at least 8 characters.')).toBeVisible()
    await fill(page, username.toUpperCase(), PASSWORD)
    await page.getByRole('button', { name: 'Create an account' }).click()
    await expect(page.getByText('This username is already taken.')).toBeVisible()
  })
})

test('register, reload, sign out, sign in as the same user', async ({ page, request }) => {
  const { username } = await createAccount(request, 'Other')
  const name = `${username.slice(0, 28)}x`
  await page.goto('/register')
  await page.getByRole('textbox', { name: 'Your name' }).fill('Grace Hopper')
  await fill(page, name, PASSWORD)
  await page.getByRole('button', { name: 'Create an account' }).click()
  await expect(account(page)).toContainText('Grace Hopper')
  await page.reload()
  await expect(account(page)).toContainText('Grace Hopper')
  await signOut(page)
  await fill(page, name, PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(account(page)).toContainText('Grace Hopper')
})

/** Nothing that a script can read is a token: neither an access token, which is a JWT, nor the one in the cookie. */
async function expectNoTokenIn(page: Page): Promise<void> {
  const [cookie] = await page.context().cookies(new URL('/v1/auth', page.url()).href)
  expect(cookie).toMatchObject({ name: 'synctalk_refresh', httpOnly: true, sameSite: 'Strict' })
  const readable = await page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
  )
  expect(readable).toContain('session_id')
  expect(readable).not.toContain('eyJ')
  expect(readable).not.toContain(cookie?.value)
}

test('no script can read a token, and tabs stay signed in after reloads', async ({
  page,
  context,
  request,
}) => {
  const { username } = await createAccount(request, 'Ada')
  await page.goto('/sign-in')
  await fill(page, username, PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByText('Hello, Ada')).toBeVisible()
  await expectNoTokenIn(page)
  const second = await context.newPage()
  await second.goto('/')
  await expect(second.getByText('Hello, Ada')).toBeVisible()
  for (let n = 0; n < 2; n += 1) {
    await Promise.all([page.reload(), second.reload()])
    for (const tab of [page, second]) {
      await expect(tab.getByText('Hello, Ada')).toBeVisible()
      await expectNoTokenIn(tab)
    }
  }
})

test('tokens stored by an earlier version: the session continues and they are deleted', async ({
  page,
  request,
}) => {
  const { tokens } = await createAccount(request, 'Ada')
  await page.goto('/sign-in')
  await page.evaluate(
    (session) => localStorage.setItem('synctalk.session', session),
    JSON.stringify({ ...tokens, expires_at: Date.now() + 900_000 }),
  )
  for (let n = 0; n < 2; n += 1) {
    await page.goto('/')
    await expect(page.getByText('Hello, Ada')).toBeVisible()
    await expectNoTokenIn(page)
  }
})

async function openSettings(page: Page): Promise<void> {
  await account(page).click()
  await page.getByRole('menuitem', { name: 'Settings' }).click()
}

/** From now on no service takes what the tabs have shown. */
async function spoilTokens(context: BrowserContext, shown: Set<string>): Promise<void> {
  const spoiled = new Set(shown)
  await context.route('**/v1/**', async (route) => {
    const headers = await route.request().allHeaders()
    const bearer = headers.authorization ?? ''
    if (!spoiled.has(bearer)) return route.continue()
    return route.continue({ headers: { ...headers, authorization: `${bearer.slice(0, -8)}AAAAAAAA` } })
  })
}

test('a refused access token is refreshed once for all tabs, unnoticed', async ({ user }) => {
  const ada = await user('Ada')
  const shown = new Set<string>()
  const refreshes: string[] = []
  ada.context.on('request', (request) => {
    const bearer = request.headers().authorization
    if (bearer !== undefined) shown.add(bearer)
    if (request.url().endsWith('/v1/auth/refresh')) refreshes.push(request.url())
  })
  await ada.page.reload()
  await expect(ada.page.getByText('Hello, Ada')).toBeVisible()
  const second = await ada.context.newPage()
  await second.goto('/')
  await expect(second.getByText('Hello, Ada')).toBeVisible()
  await spoilTokens(ada.context, shown)
  refreshes.length = 0
  for (const page of [ada.page, second]) {
    await openSettings(page)
    await expect(page.getByText('This device')).toBeVisible()
  }
  expect(refreshes).toHaveLength(1)
})

test('an expired access token is refreshed before it is used', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ada.page.route(
    '**/v1/auth/refresh',
    async (route) => {
      const response = await route.fetch()
      const tokens = (await response.json()) as Tokens
      await route.fulfill({ response, json: { ...tokens, expires_in: 1 } })
    },
    { times: 1 },
  )
  const first = ada.page.waitForResponse('**/v1/auth/refresh')
  await ada.page.reload()
  await first
  const renewed = ada.page.waitForResponse('**/v1/auth/refresh')
  await ada.open(id)
  expect((await renewed).ok()).toBe(true)
  await ada.say('still here')
  await ada.expectMark('still here', 'sent')
})

test('a session ended from another device: the page says why, and the draft is kept', async ({
  user,
  absent,
  browser,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  await ada.composer.fill('not finished yet')

  const elsewhere = await browser.newContext()
  const page = await elsewhere.newPage()
  await page.goto('/sign-in')
  await fill(page, ada.account.username, PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await account(page).click()
  await page.getByRole('menuitem', { name: 'Settings' }).click()
  await expect(page.getByText('This device')).toBeVisible()
  await page.getByRole('button', { name: /^Sign out / }).click()
  await expect(page.getByRole('button', { name: /^Sign out / })).toHaveCount(0)
  await elsewhere.close()

  await expect(ada.page.getByText('You were signed out from another device.')).toBeVisible()
  await expect(ada.page.getByText('Your drafts and unsent messages are kept on this device.')).toBeVisible()
  await expect(ada.page.getByRole('textbox', { name: 'Username' })).toHaveValue(ada.account.username)
  await ada.page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD)
  await ada.page.getByRole('button', { name: 'Sign in' }).click()
  await expect(ada.composer).toHaveValue('not finished yet')
})

test('changing the password signs out the other devices, not this one', async ({ user, browser }) => {
  const ada = await user('Ada')
  const other: Account = { ...ada.account }
  const elsewhere = await browser.newContext()
  const page = await elsewhere.newPage()
  await page.goto('/sign-in')
  await fill(page, other.username, PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(account(page)).toBeVisible()

  await ada.page.goto('/settings')
  await ada.page.getByLabel('Current password').fill('not it at all')
  await ada.page.getByLabel('New password').fill('another long passphrase')
  await ada.page.getByRole('button', { name: 'Change password' }).click()
  await expect(ada.page.getByText('Your current password is incorrect.')).toBeVisible()
  await ada.page.getByLabel('Current password').fill(PASSWORD)
  await ada.page.getByRole('button', { name: 'Change password' }).click()
  await expect(
    ada.page.getByText('Password changed. You were signed out on your other devices.'),
  ).toBeVisible()
  await expect(
    page.getByText('Your password was changed, so you were signed out on this device.'),
  ).toBeVisible()
  await ada.page.reload()
  await expect(account(ada.page)).toBeVisible()
  await elsewhere.close()
})

test('two tabs: signing out in one signs out the other', async ({ user }) => {
  const ada = await user('Ada')
  const second = await ada.context.newPage()
  await second.goto('/')
  await expect(account(second)).toBeVisible()
  await signOut(ada.page)
  await expect(second.getByRole('textbox', { name: 'Username' })).toBeVisible()
})

test('signed out while the server is down: the session is revoked later, and the cookie is deleted', async ({
  user,
}) => {
  const ada = await user('Ada')
  const cookies = () => ada.context.cookies(new URL('/v1/auth', ada.page.url()).href)
  await ada.page.route('**/v1/auth/logout', (route) => route.abort(), { times: 1 })
  await signOut(ada.page)
  await expect(ada.page.getByRole('textbox', { name: 'Username' })).toBeVisible()
  expect(await cookies()).toHaveLength(1)
  await ada.page.reload()
  await expect.poll(cookies).toEqual([])
  await expect(ada.page.getByRole('textbox', { name: 'Username' })).toBeVisible()
  await expect(ada.call('GET', '/v1/auth/sessions')).rejects.toThrow('unauthenticated')
})

test('two users on one machine: the second finds nothing of the first', async ({ user, absent, request }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  await ada.say('for Ben only')
  await ada.expectMark('for Ben only', 'sent')
  await signOut(ada.page)
  await expect(ada.page.getByRole('textbox', { name: 'Username' })).toBeVisible()
  const eve = await createAccount(request, 'Eve')
  await fill(ada.page, eve.username, PASSWORD)
  await ada.page.getByRole('button', { name: 'Sign in' }).click()
  await expect(ada.page.getByText('Hello, Eve')).toBeVisible()
  await ada.page.goto(`/c/${id}`)
  await expect(ada.page.getByText('This page doesn’t exist.')).toBeVisible()
})

test('signed out while the list is loading: the next user sees nothing of it, even when it arrives', async ({
  absent,
  browser,
  request,
  baseURL,
}) => {
  const eve = await absent('Eve')
  const ada = await createAccount(request, 'Ada')
  const ben = await createAccount(request, 'Ben')
  await eve.group('Only for Ada', [ada.tokens.user])
  const shared = await eve.group('Only for Ben', [ben.tokens.user])
  const context = await browser.newContext({ storageState: signedIn(ada, baseURL) })
  const page = await context.newPage()
  let isBlocked = true
  let arrive = (): void => undefined
  const arrival = new Promise<void>((resolve) => (arrive = resolve))
  const late: Promise<void>[] = []
  await page.route('**/v1/conversations?*', async (route) => {
    if (!isBlocked) return route.continue()
    const response = await route.fetch()
    expect(await response.text()).toContain('Only for Ada')
    // The page has given it up by then.
    late.push(arrival.then(() => route.fulfill({ response })).catch(() => undefined))
  })
  await page.goto('/')
  await expect.poll(() => late.length).toBeGreaterThan(0)
  await signOut(page)
  isBlocked = false
  await fill(page, ben.username, PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('link', { name: 'Only for Ben' })).toBeVisible()
  arrive()
  await Promise.all(late)
  await eve.post(shared, 'the list is up to date')
  await expect(page.getByRole('navigation')).toContainText('the list is up to date')
  await expect(page.getByText('Only for Ada')).toHaveCount(0)
  await expect(page.getByRole('navigation').getByRole('link')).toHaveCount(1)
  await context.close()
})
