/** Forms, dialogs and the focus in them. */
import { createAccount, expect, PASSWORD, test } from './users'

test("an error of the server is shown at its field, in the client's words, until the field changes", async ({
  page,
}) => {
  await page.goto('/register')
  const password = page.getByRole('textbox', { name: 'Password' })
  await page.getByRole('textbox', { name: 'Username' }).fill(`weak.${Date.now().toString(36)}`)
  await password.fill('password')
  await page.getByRole('button', { name: 'Create an account' }).click()
  const words = page.getByText('This password is too easy to guess. Choose another one.')
  await expect(words).toBeVisible()
  await expect(page.getByText('At least 8 characters')).toBeVisible()
  await expect(password).toBeFocused()
  await password.press('x')
  await expect(words).toHaveCount(0)
  await page.getByRole('textbox', { name: 'Username' }).fill('')
  await page.getByRole('button', { name: 'Create an account' }).click()
  await expect(page.getByRole('textbox', { name: 'Username' })).toBeFocused()
})

test('a failed sign-in by click keeps the focus', async ({ page, request }) => {
  const ada = await createAccount(request, 'Ada')
  await page.goto('/sign-in')
  await page.getByRole('textbox', { name: 'Username' }).fill(ada.username)
  await page.getByRole('textbox', { name: 'Password' }).fill(`not ${PASSWORD}`)
  const button = page.getByRole('button', { name: 'Sign in' })
  await button.click()
  await expect(page.getByText('Incorrect username or password.')).toBeVisible()
  await expect(button).toBeFocused()
})

test('the focus moves nearby after a message is deleted or a member removed', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.group('Group', [ben])
  await ada.visit(id)
  await ada.say('to be deleted')
  await ada.expectMark('to be deleted', 'sent')
  await ada.message('to be deleted').hover()
  await ada.message('to be deleted').getByRole('button', { name: 'Delete' }).click()
  await ada.page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click()
  await expect(ada.history.getByText('Message deleted')).toBeVisible()
  await expect(ada.page.locator('#main :focus')).toHaveCount(1)

  await ada.page.goto(`/c/${id}/details`)
  await ada.page.getByRole('button', { name: 'Actions for Ben' }).click()
  await ada.page.getByRole('menuitem', { name: 'Remove from group' }).click()
  await ada.page.getByRole('alertdialog').getByRole('button', { name: 'Remove from group' }).click()
  await expect(ada.page.getByRole('button', { name: 'Actions for Ben' })).toHaveCount(0)
  await expect(ada.page.locator('#main :focus')).toHaveCount(1)
})

test('a group needs at least one member; Enter in its name moves to the member search', async ({ user }) => {
  const ada = await user('Ada')
  const { page } = ada
  await page.goto('/new/group')
  await page.getByRole('textbox', { name: 'Group name' }).fill('Only me')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('combobox', { name: 'Find people' })).toBeFocused()
  await page.getByRole('button', { name: 'Create group' }).click()
  await expect(page.getByText('Choose at least one person.')).toBeVisible()
  await expect(page.getByRole('combobox', { name: 'Find people' })).toBeFocused()
  await expect(page).toHaveURL(/new\/group/)
})

test('one’s own username is shown and can be copied', async ({ user }) => {
  const ada = await user('Ada', { permissions: ['clipboard-read', 'clipboard-write'] })
  const { page } = ada
  const name = `@${ada.account.username}`
  await page.getByRole('button', { name: 'Your account and status' }).click()
  await page.getByRole('menuitem', { name }).click()
  await expect(page.getByText('Copied')).toBeVisible()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(name)
  // On the first page too, beside what one can begin with.
  await expect(page.getByText(`Others find you as ${name}.`)).toBeVisible()
  await expect(page.getByRole('link', { name: 'Public groups' })).toBeVisible()
  await page.goto('/settings')
  await expect(page.getByText(name, { exact: true })).toBeVisible()
  await page.getByRole('button', { name: 'Copy your username' }).click()
  await expect(page.getByText('Copied')).toBeVisible()
})

test('the filter finds conversations by any part of their name, and users one has no conversation with', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben Okri')
  const eve = await user('Eve Online')
  await ada.directWith(ben)
  await expect(ada.row('Ben Okri')).toBeVisible()
  const filter = ada.page.getByRole('searchbox')
  await filter.fill('okr ben')
  await expect(ada.row('Ben Okri')).toBeVisible()
  await filter.fill(eve.account.username)
  await ada.page.getByRole('region', { name: 'People' }).getByRole('button', { name: 'Eve Online' }).click()
  await expect(ada.page.getByRole('textbox', { name: 'Message Eve Online' })).toBeVisible()
})
