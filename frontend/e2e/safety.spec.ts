/** What the page does not do, whatever it is given. */
import { callAs, createAccount, expect, PASSWORD, test } from './users'

test('a path that looks like a host is not followed after signing in', async ({ page, request, baseURL }) => {
  const ada = await createAccount(request, 'Ada')
  await page.goto(`${baseURL ?? ''}//example.org/x`)
  await page.getByRole('textbox', { name: 'Username' }).fill(ada.username)
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('button', { name: 'Your account and status' })).toBeVisible()
  expect(new URL(page.url()).pathname).toBe('/')
})

test('an avatar of another origin is not requested: initials are shown; the socket connects', async ({
  browser,
  request,
}) => {
  const ben = await createAccount(request, 'Ben Okri')
  await callAs(request, ben, 'PATCH', '/v1/users/me', {
    avatar_url: 'https://pictures.example/ben.png',
  })
  const ada = await createAccount(request, 'Ada')
  const context = await browser.newContext()
  const page = await context.newPage()
  const sent: string[] = []
  await context.route('https://pictures.example/**', (route) => {
    sent.push(route.request().url())
    return route.abort()
  })
  const socket = page.waitForEvent('websocket')
  await page.goto('/sign-in')
  await page.getByRole('textbox', { name: 'Username' }).fill(ada.username)
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  expect((await socket).url()).toMatch(/^ws/)
  await page.goto('/new')
  await page.getByRole('combobox').fill(ben.username)
  await expect(page.getByRole('option').getByText('BO')).toBeVisible()
  expect(sent).toEqual([])
  await context.close()
})

test('without a connection no user is shown as online, and nothing moves', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.visit(id)
  const head = ada.page.locator('#main header')
  await expect(head).toContainText('Online')
  const before = await head.boundingBox()
  await ada.context.setOffline(true)
  await expect(ada.page.getByText(/You’re offline/)).toBeVisible()
  await expect(head).not.toContainText('Online')
  await expect(ada.row('Ben').getByRole('img', { name: 'Online' })).toHaveCount(0)
  expect(await head.boundingBox()).toEqual(before)
  await ada.context.setOffline(false)
  await expect(head).toContainText('Online')
})
