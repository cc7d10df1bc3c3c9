import { expect, PASSWORD, test, type User } from './users'
import type { Browser, Page } from '@playwright/test'

interface Invite {
  code: string
  url: string
}

const links = (user: User) => user.page.getByRole('list', { name: 'Invite links' }).getByRole('listitem')
const account = (page: Page) => page.getByRole('button', { name: 'Your account and status' })

async function newPage(browser: Browser, path: string): Promise<Page> {
  const page = await browser.newPage()
  await page.goto(path)
  return page
}

test('an invite link is made, leads a new user through sign-up into the group, and ends when it is deleted', async ({
  user,
  browser,
}) => {
  const ada = await user('Ada')
  const id = await ada.group('Book club', [])
  await ada.page.goto(`/c/${id}/settings`)
  await expect(ada.page.getByText('No invite links yet.')).toBeVisible()
  await ada.page.getByRole('combobox', { name: 'Can be used' }).selectOption('5')
  await ada.page.getByRole('button', { name: 'Create link' }).click()
  await expect(links(ada)).toHaveCount(1)
  await expect(links(ada)).toContainText('Used 0 of 5 times')
  const { items } = await ada.call<{ items: Invite[] }>('GET', `/v1/conversations/${id}/invites`)
  const path = `/invite/${items[0]?.code ?? ''}`

  const page = await newPage(browser, path)
  await expect(page.getByRole('heading', { name: 'Join “Book club”' })).toBeVisible()
  await expect(page.getByText('1 member')).toBeVisible()
  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('link', { name: 'Create an account' }).click()
  await page.getByRole('textbox', { name: 'Username' }).fill(`ben.${Date.now().toString(36)}`)
  await page.getByRole('textbox', { name: 'Your name' }).fill('Ben')
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Create an account' }).click()
  await expect(page.getByRole('textbox', { name: 'Message Book club' })).toBeVisible()
  await page.getByRole('textbox', { name: 'Message Book club' }).fill('Thanks for the link')
  await page.keyboard.press('Enter')
  await expect(ada.message('Thanks for the link')).toBeVisible()
  await page.close()

  await ada.page.getByRole('button', { name: /^Delete link/ }).click()
  await expect(links(ada)).toHaveCount(0)
  const late = await newPage(browser, path)
  await expect(late.getByText('This invite link is no longer valid.')).toBeVisible()
  await late.close()
})

test('a guest comes in by an invite link, and sees that group alone', async ({ user, browser }) => {
  const ada = await user('Ada')
  const id = await ada.group('Open evening', [])
  const { code } = await ada.call<Invite>('POST', `/v1/conversations/${id}/invites`, {})
  await ada.visit(id)
  const page = await newPage(browser, `/invite/${code}`)
  await page.getByRole('link', { name: 'Join as a guest' }).click()
  await page.getByRole('textbox', { name: 'Your name' }).fill('Passer-by')
  await page.getByRole('button', { name: 'Continue as a guest' }).click()
  await expect(page.getByRole('textbox', { name: 'Message Open evening' })).toBeVisible()
  await page.getByRole('textbox', { name: 'Message Open evening' }).fill('Good evening')
  await page.keyboard.press('Enter')
  await expect(ada.message('Good evening')).toContainText('Passer-by')
  await expect(account(page)).toContainText('Passer-by')
  await expect(page.getByRole('link', { name: 'New conversation' })).toHaveCount(0)
  await page.close()
})

test('who is signed in joins by one click, and sees why where it fails', async ({ user, absent }) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const id = await ada.group('Choir', [])
  const { code } = await ada.call<Invite>('POST', `/v1/conversations/${id}/invites`, {})
  await ada.call('PUT', `/v1/conversations/${id}/bans/${ben.id}`, {})
  await ben.page.goto(`/invite/${code}`)
  await ben.page.getByRole('button', { name: 'Join group' }).click()
  await expect(ben.page.getByText('You can’t join this group.')).toBeVisible()
  await ada.call('DELETE', `/v1/conversations/${id}/bans/${ben.id}`)
  await ben.page.getByRole('button', { name: 'Join group' }).click()
  await expect(ben.composer).toBeVisible()
  await expect(ben.row('Choir')).toBeVisible()
})
