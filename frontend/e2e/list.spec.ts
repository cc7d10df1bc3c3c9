/** The list of conversations: sections, pins, what is hidden, what is marked unread. */
import { expect, test, type User } from './users'
import type { Locator } from '@playwright/test'

const list = (user: User) => user.page.getByRole('navigation', { name: 'Conversations' })
const rows = (user: User) => list(user).getByRole('link')
const heading = (user: User, name: string) => list(user).getByRole('button', { name, exact: false })

const marked = (row: Locator) => row.getByRole('img', { name: 'Marked as unread' })

async function choose(user: User, title: string, item: string): Promise<void> {
  await user.row(title).click({ button: 'right' })
  await expect(user.page.getByRole('menu')).toBeVisible()
  await user.page.getByRole('menuitem', { name: item, exact: true }).click()
  await expect(user.page.getByRole('menu')).toHaveCount(0)
}

test('sections: groups and direct messages, collapsed and opened, kept over a reload', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const eve = await absent('Eve')
  await ada.directWith(ben)
  await expect(rows(ada)).toHaveText([/Ben/])
  await expect(list(ada).getByRole('heading')).toHaveCount(0)
  const walks = await ada.group('Walks', [ben, eve])
  await ada.directWith(eve)
  await expect(rows(ada)).toHaveText([/Walks/, /Eve/, /Ben/])
  await heading(ada, 'Direct messages').click()
  await expect(heading(ada, 'Direct messages')).toHaveAttribute('aria-expanded', 'false')
  await expect(rows(ada)).toHaveText([/Walks/])
  await ada.page.reload()
  await expect(rows(ada)).toHaveText([/Walks/])
  // Unread ones stay in sight.
  const withAda = await ben.directWith(ada)
  await ben.post(withAda, 'Anybody there?')
  await expect(rows(ada)).toHaveText([/Walks/, /Ben.*Anybody there/])
  await heading(ada, 'Direct messages').click()
  await expect(rows(ada)).toHaveCount(3)
  // Compact: one line for each, with what is unread or begun; kept, and alike in all tabs.
  const height = async (): Promise<number> => (await rows(ada).first().boundingBox())?.height ?? 0
  const before = await height()
  const settings = await ada.context.newPage()
  await settings.goto('/settings')
  await settings.getByRole('radio', { name: 'Compact' }).check({ force: true })
  await expect.poll(height).toBeLessThan(before - 12)
  await expect(rows(ada)).toHaveText([/Walks/, /Ben.*1 unread/, /Eve/])
  await expect(list(ada).getByText('Anybody there')).toHaveCount(0)
  await ada.page.reload()
  await expect.poll(height).toBeLessThan(before - 12)
  await settings.getByRole('radio', { name: 'Comfortable' }).check({ force: true })
  await expect.poll(height).toBe(before)
  await settings.close()
  // Alt and the arrows go as the list goes.
  await ada.open(walks)
  await ada.page.keyboard.press('Alt+ArrowDown')
  await expect(ada.page).toHaveURL(new RegExp(withAda))
})

test('a pinned conversation is on top, on all devices; hidden ones come back with the next message', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const eve = await absent('Eve')
  const withBen = await ada.directWith(ben)
  await ada.directWith(eve)
  const second = await ada.context.newPage()
  await second.goto('/')
  const others = second.getByRole('navigation', { name: 'Conversations' })
  await expect(others.getByRole('link')).toHaveText([/Eve/, /Ben/])

  await choose(ada, 'Ben', 'Pin')
  await expect(rows(ada)).toHaveText([/Ben.*Pinned/, /Eve/])
  await expect(others.getByRole('link')).toHaveText([/Ben.*Pinned/, /Eve/])
  await choose(ada, 'Ben', 'Unpin')
  await expect(rows(ada)).toHaveText([/Eve/, /Ben/])

  await choose(ada, 'Ben', 'Hide until the next message')
  await expect(rows(ada)).toHaveText([/Eve/])
  await expect(others.getByRole('link')).toHaveText([/Eve/])
  await ada.page.reload()
  await heading(ada, 'Hidden').click()
  await expect(rows(ada)).toHaveText([/Eve/, /Ben/])
  await ada.page.getByRole('searchbox').fill('ben')
  await expect(rows(ada)).toHaveText([/Ben/])
  await ada.page.getByRole('searchbox').fill('')
  await ben.post(withBen, 'I am back')
  await expect(rows(ada)).toHaveText([/Ben.*I am back/, /Eve/])
  await expect(others.getByRole('link')).toHaveText([/Ben.*I am back/, /Eve/])
  await expect(heading(ada, 'Hidden')).toHaveCount(0)
})

test('marked as unread: shown everywhere until it is read again', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ben.post(id, 'Think about it')
  const second = await ada.context.newPage()
  await second.goto('/')
  const elsewhere = second
    .getByRole('navigation', { name: 'Conversations' })
    .getByRole('link', { name: 'Ben' })
  await expect(elsewhere).toContainText('1 unread message')
  await ada.open(id)
  await expect(elsewhere).not.toContainText('unread')
  await ada.page.goto('/')
  await choose(ada, 'Ben', 'Mark as unread')
  await expect(marked(ada.row('Ben'))).toBeVisible()
  await expect(marked(elsewhere)).toBeVisible()
  await ada.open(id)
  await expect(marked(ada.row('Ben'))).toHaveCount(0)
  await expect(marked(elsewhere)).toHaveCount(0)
  await ada.page.goto('/')
  await choose(ada, 'Ben', 'Mark as unread')
  await choose(ada, 'Ben', 'Mark as read')
  await expect(marked(ada.row('Ben'))).toHaveCount(0)
})

test('a mention is marked in the list; what is muted is faint and does not count in the title', async ({
  user,
  absent,
}) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const id = await ada.group('Quiet', [ben])
  await ben.call('PUT', `/v1/notification-settings/${id}`, { level: 'mentions' })
  await ben.page.reload()
  await ada.post(id, 'for whom it may concern')
  await expect(ben.row('Quiet')).toContainText('1 unread message')
  await expect(ben.page).toHaveTitle('SyncTalk')
  await ada.post(id, `@${ben.account.username} look`)
  await expect(ben.row('Quiet')).toContainText('1 mention')
  await expect(ben.page).toHaveTitle('(1) SyncTalk')
})

test('the options of a row by keyboard', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  await ada.directWith(ben)
  await ada.row('Ben').focus()
  await ada.page.keyboard.press('Shift+F10')
  await expect(ada.page.getByRole('menuitem', { name: 'Mark as unread' })).toBeVisible()
  await expect(ada.page.getByRole('menu')).toBeVisible()
  await ada.page.keyboard.press('Escape')
  await expect(ada.page.getByRole('menu')).toHaveCount(0)
})
