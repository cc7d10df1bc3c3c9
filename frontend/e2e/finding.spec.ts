/** Ways back to what was said: a date, one's mentions, and a conversation that is marked as unread. */
import { expectClean } from './clean'
import { expect, test } from './users'

test('jump to a date: its first message, or a word that there is none', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  const today = await ada.page.evaluate(() => new Date().toISOString())
  for (let n = 1; n <= 40; n += 1)
    await expect(() => (n % 2 === 0 ? ada : ben).post(id, `line ${String(n)}.`)).toPass()
  await ben.page.goto(`/c/${id}?at=1`)
  // The day's line is above the first message.
  await expect(ben.message('line 1.')).toBeInViewport()
  await expect(ben.message('line 1.')).not.toHaveAttribute('data-tint', 'marked')
  await ben.page.getByRole('button', { name: 'Today. Jump to another date' }).click()
  const dialog = ben.page.getByRole('dialog', { name: 'Jump to a date' })
  const field = dialog.getByLabel('Date')
  await expect(field).toBeFocused()
  await expectClean(ben.page, 'the choice of a date')
  await field.fill('2099-01-01')
  await dialog.getByRole('button', { name: 'Go' }).click()
  await expect(dialog.getByText('There are no messages since then.')).toBeVisible()
  await field.fill(today.slice(0, 10))
  await dialog.getByRole('button', { name: 'Go' }).click()
  await expect(dialog).toHaveCount(0)
  await expect(ben.message('line 1.')).toHaveAttribute('data-tint', 'marked')
})

test('mentions: listed with their conversation, live, and each leads to its place', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.group('Launch', [ben])
  await ada.page.getByRole('link', { name: 'Mentions' }).click()
  await expect(ada.page.getByText('No mentions yet')).toBeVisible()
  await expectClean(ada.page, 'no mentions')
  await ben.post(id, `what do you think, @${ada.account.username}?`)
  const list = ada.page.getByRole('list', { name: 'Messages that mention you' })
  await expect(list.getByRole('link')).toHaveCount(1)
  await ben.post(id, 'and @all of you?')
  await expect(list.getByRole('link')).toContainText(['and @all', 'in Launch'])
  await expectClean(ada.page, 'mentions')
  await list.getByRole('link').last().click()
  await expect(ada.message('what do you think')).toHaveAttribute('data-tint', 'marked')
  await expect(ada.message('and @all')).toHaveAttribute('data-tint', 'mention')
})

test('a link to a message, copied from its menu, leads others there', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.group('Launch', [ben])
  const { seq } = await ada.post(id, 'to be linked')
  await ada.open(id)
  await ada.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await ada.message('to be linked').hover()
  await ada.message('to be linked').getByRole('button', { name: 'More actions' }).click()
  await ada.page.getByRole('menuitem', { name: 'Copy link' }).click()
  await expect(ada.page.getByText('Copied')).toBeVisible()
  const link = await ada.page.evaluate(() => navigator.clipboard.readText())
  expect(link).toMatch(new RegExp(`/c/${id}\\?at=${String(seq)}$`))
  await ben.page.goto(link)
  await expect(ben.message('to be linked')).toHaveAttribute('data-tint', 'marked')
})

test('marked as unread: shown in the list of both windows, until it is opened again', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ben.post(id, 'later, please')
  await ada.open(id)
  await expect(ada.message('later, please')).toBeVisible()
  const other = await ada.context.newPage()
  await other.goto('/')
  const mark = ada.row('Ben').getByRole('img', { name: 'Marked as unread' })
  const otherMark = other
    .getByRole('navigation', { name: 'Conversations' })
    .getByRole('img', { name: 'Marked as unread' })
  await ada.message('later, please').hover()
  await ada.message('later, please').getByRole('button', { name: 'More actions' }).click()
  await ada.page.getByRole('menuitem', { name: 'Mark as unread' }).click()
  await expect(ada.composer).toHaveCount(0)
  await expect(mark).toBeVisible()
  await expect(otherMark).toBeVisible()
  await expectClean(ada.page, 'a conversation that is marked as unread')
  await ada.open(id)
  await expect(mark).toHaveCount(0)
  await expect(otherMark).toHaveCount(0)
  await ada.page.reload()
  await expect(ada.row('Ben')).toBeVisible()
  await expect(mark).toHaveCount(0)
})
