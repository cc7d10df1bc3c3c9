/** What happens in a group stands between its messages, quietly: nothing of it is unread. */
import { expectClean } from './clean'
import { expect, test } from './users'

test('a group made here says who made it, who came and went, its new name, and what was pinned', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const carl = await user('Carl')
  await ada.page.goto('/new/group')
  await ada.page.getByRole('textbox', { name: 'Group name' }).fill('Launch')
  await ada.page.getByRole('combobox', { name: 'Find people' }).fill(ben.account.username)
  await ada.page.getByRole('option', { name: ben.account.username }).click()
  await expect(ada.page.getByRole('button', { name: 'Remove Ben' })).toBeVisible()
  await ada.page.getByRole('button', { name: 'Create group' }).click()
  await expect(ada.composer).toBeVisible()
  const id = /\/c\/([^/?]+)/.exec(ada.page.url())?.[1] ?? ''
  await expect(ada.history.locator('[data-event="created"]')).toContainText('You created the group')
  await expect(ben.row('Launch')).toContainText('Ada created the group')
  await expect(ben.row('Launch')).not.toContainText('unread')

  await ben.open(id)
  await expect(ben.history.locator('[data-event="created"]')).toContainText('Ada created the group')
  await ada.call('POST', `/v1/conversations/${id}/members`, { user_ids: [carl.id] })
  await expect(ben.history.locator('[data-event="member_added"]')).toContainText('Ada added Carl')
  await expect(carl.row('Launch')).toContainText('Ada added you')
  await expect(carl.row('Launch')).not.toContainText('unread')
  await ada.call('PATCH', `/v1/conversations/${id}`, { title: 'Launch day' })
  await expect(ben.history.locator('[data-event="renamed"]')).toContainText(
    'Ada renamed the group to “Launch day”',
  )
  await ben.say('remember this')
  await ben.expectMark('remember this', 'delivered')
  await ben.message('remember this').hover()
  await ben.message('remember this').getByRole('button', { name: 'More actions' }).click()
  await ben.page.getByRole('menuitem', { name: 'Pin' }).click()
  await expect(ada.history.locator('[data-event="pinned"]')).toContainText('Ben pinned a message')
  await ada.history.locator('[data-event="pinned"]').getByRole('button').click()
  await expect(ada.message('remember this')).toHaveAttribute('data-tint', 'marked')
  await carl.call('DELETE', `/v1/conversations/${id}/members/${carl.id}`)
  await expect(ada.history.locator('[data-event="member_left"]')).toContainText('Carl left')
  await expectClean(ada.page, 'events in a group')
})

test('Up edits one’s own last message, and not what the group says that one did', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const { id } = await ada.call<{ id: string }>('POST', '/v1/conversations', {
    type: 'group',
    title: 'Launch',
    member_ids: [ben.id],
    system_messages: true,
  })
  await ada.post(id, 'my own words')
  await ada.call('PATCH', `/v1/conversations/${id}`, { title: 'Launch day' })
  await ada.open(id)
  await expect(ada.history.locator('[data-event="renamed"]')).toBeVisible()
  await ada.composer.press('ArrowUp')
  await expect(ada.page.getByRole('textbox', { name: 'Editing message' })).toHaveValue('my own words')
})
