import { createAccount, expect, PASSWORD, test, type Account } from './people'
import type { Page } from '@playwright/test'

const fill = async (page: Page, username: string, password: string): Promise<void> => {
  await page.getByRole('textbox', { name: 'Username' }).fill(username)
  await page.getByRole('textbox', { name: 'Password' }).fill(password)
}

const account = (page: Page) => page.getByRole('button', { name: 'Your account and status' })

async function signOut(page: Page): Promise<void> {
  await account(page).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
}

test.describe('who may not', () => {
  test('a wrong password and an unknown name: refused in the same words', async ({ page, request }) => {
    const { username } = await createAccount(request, 'Ada')
    await page.goto('/sign-in')
    for (const name of [username, `${username.slice(0, 20)}.nobody`]) {
      await fill(page, name, 'not the password')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await expect(page.getByRole('alert')).toHaveText('The username or the password is wrong.')
    }
  })

  test('without a session every address leads to the sign-in', async ({ page }) => {
    await page.goto('/settings')
    await expect(page).toHaveURL(/\/sign-in$/)
    await expect(page.getByRole('textbox', { name: 'Username' })).toBeFocused()
  })

  test('a taken name and a short password are said beside their fields', async ({ page, request }) => {
    const { username } = await createAccount(request, 'Ada')
    await page.goto('/register')
    await fill(page, username.toUpperCase(), 'short')
    await page.getByRole('button', { name: 'Create an account' }).click()
    await expect(page.getByText('Use at least 8 characters.')).toBeVisible()
    await fill(page, username.toUpperCase(), PASSWORD)
    await page.getByRole('button', { name: 'Create an account' }).click()
    await expect(page.getByText('This username is taken.')).toBeVisible()
  })
})

test('register, reload, sign out, sign in: one person throughout', async ({ page, request }) => {
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

/** The token that the next call will show is one that no service takes. */
const spoilToken = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const session = JSON.parse(localStorage.getItem('synctalk.session') ?? '{}') as { access_token: string }
    session.access_token = `${session.access_token.slice(0, -8)}AAAAAAAA`
    localStorage.setItem('synctalk.session', JSON.stringify(session))
  })

test('a token that is refused: renewed once for all tabs, and nobody notices', async ({ person }) => {
  const ada = await person('Ada')
  const second = await ada.context.newPage()
  await second.goto('/')
  await expect(account(second)).toBeVisible()
  const refreshes: string[] = []
  ada.context.on('request', (request) => {
    if (request.url().endsWith('/v1/auth/refresh')) refreshes.push(request.url())
  })
  await spoilToken(ada.page)
  await Promise.all([ada.page.reload(), second.reload()])
  for (const page of [ada.page, second]) {
    await page.goto('/settings')
    await expect(page.getByText('This device')).toBeVisible()
  }
  expect(refreshes).toHaveLength(1)
})

test('a token that has run out by the clock: renewed before it is used', async ({ person }) => {
  const ada = await person('Ada')
  const ben = await person('Ben')
  const id = await ada.directWith(ben)
  await ada.page.evaluate(() => {
    const session = JSON.parse(localStorage.getItem('synctalk.session') ?? '{}') as { expires_at: number }
    session.expires_at = Date.now() - 1
    localStorage.setItem('synctalk.session', JSON.stringify(session))
  })
  const renewed = ada.page.waitForResponse('**/v1/auth/refresh')
  await ada.open(id)
  expect((await renewed).ok()).toBe(true)
  await ada.say('still here')
  await ada.expectMark('still here', 'delivered')
})

test('a session ended from another device: says why, and keeps the draft', async ({ person, browser }) => {
  const ada = await person('Ada')
  const ben = await person('Ben')
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

  await expect(ada.page.getByText('This session was ended from another device.')).toBeVisible()
  await expect(ada.page.getByText('Your drafts and unsent messages are kept on this device.')).toBeVisible()
  await expect(ada.page.getByRole('textbox', { name: 'Username' })).toHaveValue(ada.account.username)
  await ada.page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD)
  await ada.page.getByRole('button', { name: 'Sign in' }).click()
  await expect(ada.composer).toHaveValue('not finished yet')
})

test('changing the password: this device goes on, the others are signed out', async ({ person, browser }) => {
  const ada = await person('Ada')
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
  await expect(ada.page.getByText('The current password is wrong.')).toBeVisible()
  await ada.page.getByLabel('Current password').fill(PASSWORD)
  await ada.page.getByRole('button', { name: 'Change password' }).click()
  await expect(ada.page.getByText('Password changed. Your other devices were signed out.')).toBeVisible()
  await expect(page.getByText('Your password was changed, so this device was signed out.')).toBeVisible()
  await ada.page.reload()
  await expect(account(ada.page)).toBeVisible()
  await elsewhere.close()
})

test('two tabs: signing out in one signs out the other', async ({ person }) => {
  const ada = await person('Ada')
  const second = await ada.context.newPage()
  await second.goto('/')
  await expect(account(second)).toBeVisible()
  await signOut(ada.page)
  await expect(second.getByRole('textbox', { name: 'Username' })).toBeVisible()
})

test('two people at one machine: the next one finds nothing of the first', async ({ person, request }) => {
  const ada = await person('Ada')
  const ben = await person('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  await ada.say('for Ben only')
  await ada.expectMark('for Ben only', 'delivered')
  await signOut(ada.page)
  await expect(ada.page.getByRole('textbox', { name: 'Username' })).toBeVisible()
  const eve = await createAccount(request, 'Eve')
  await fill(ada.page, eve.username, PASSWORD)
  await ada.page.getByRole('button', { name: 'Sign in' }).click()
  await expect(ada.page.getByText('Hello, Eve')).toBeVisible()
  await ada.page.goto(`/c/${id}`)
  await expect(ada.page.getByText('There is nothing at this address.')).toBeVisible()
})
