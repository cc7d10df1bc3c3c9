/** A message that goes on to another conversation, and the earlier texts of one that was changed. */
import { expectClean } from './clean'
import { picture } from './samples'
import { expect, test } from './users'

test('forwarded with its picture by typing where to; the others see that it was forwarded, not from where', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const carl = await user('Carl')
  const id = await ada.directWith(ben)
  const group = await ada.group('Weekend plans', [carl])
  await ada.open(id)
  await ada.page.locator('[data-attach]').setInputFiles([picture('map.png', 300, 200)])
  await expect(ada.page.locator('[data-upload="ready"]')).toHaveCount(1)
  await ada.say('The way there')
  await ada.expectMark('The way there', 'delivered')
  await ada.message('The way there').hover()
  await ada.message('The way there').getByRole('button', { name: 'Forward' }).click()
  const dialog = ada.page.getByRole('dialog', { name: 'Forward message' })
  await expect(dialog.getByRole('combobox', { name: 'Forward to' })).toBeFocused()
  await expect(dialog.getByRole('option')).toHaveCount(2)
  await expectClean(ada.page, 'the forward dialog')
  await ada.page.keyboard.type('week')
  await expect(dialog.getByRole('option')).toHaveCount(1)
  await ada.page.keyboard.press('Enter')
  await expect(dialog).toHaveCount(0)
  await expect(ada.page.getByText('Forwarded to “Weekend plans”.')).toBeVisible()
  await carl.open(group)
  await expect(carl.message('The way there')).toContainText('Forwarded')
  await expect(carl.message('The way there')).not.toContainText('Forwarded from')
  await expect(carl.message('The way there').locator('[data-picture="shown"]')).toHaveCount(1)
  await expectClean(carl.page, 'a forwarded message')
})

test('forwarded within its conversation: who wrote it is named, and one click leads there', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ben.post(id, 'worth repeating')
  await ada.open(id)
  await expect(ada.message('worth repeating')).toBeVisible()
  await ada.history.focus()
  await ada.page.keyboard.press('ArrowUp')
  await expect(ada.message('worth repeating')).toBeFocused()
  await ada.page.keyboard.press('f')
  const dialog = ada.page.getByRole('dialog', { name: 'Forward message' })
  await expect(dialog.getByRole('option', { name: 'Ben' })).toBeVisible()
  await dialog.getByRole('option', { name: 'Ben' }).click()
  await expect(ada.message('worth repeating')).toHaveCount(2)
  await ada.message('worth repeating').last().getByRole('button', { name: 'Forwarded from Ben' }).click()
  await expect(ada.message('worth repeating').first()).toHaveAttribute('data-tint', 'marked')
})

test('edit history: the sender and moderators see the earlier texts, other members do not', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const carl = await user('Carl')
  const id = await ada.group('Launch', [ben, carl])
  const { id: messageId } = await ben.post(id, 'at noon')
  for (const body of ['at one', 'at two'])
    await ben.call('PATCH', `/v1/conversations/${id}/messages/${messageId}`, { body })
  await ben.open(id)
  await ben.message('at two').getByRole('button', { name: 'edited. Show the earlier texts' }).click()
  const dialog = ben.page.getByRole('dialog', { name: 'Edit history' })
  await expect(dialog.getByRole('listitem')).toContainText(['at noon', 'at one', 'at two'])
  await expectClean(ben.page, 'edit history')
  await ben.call('PATCH', `/v1/conversations/${id}/messages/${messageId}`, { body: 'at three' })
  await expect(dialog.getByRole('listitem')).toContainText(['at noon', 'at one', 'at two', 'at three'])
  await ben.page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)

  await ada.open(id)
  await ada.message('at three').hover()
  await ada.message('at three').getByRole('button', { name: 'More actions' }).click()
  await ada.page.getByRole('menuitem', { name: 'Edit history' }).click()
  await expect(ada.page.getByRole('dialog', { name: 'Edit history' }).getByRole('listitem')).toHaveCount(4)
  await carl.open(id)
  await expect(carl.message('at three')).toContainText('(edited)')
  await carl.message('at three').hover()
  await carl.message('at three').getByRole('button', { name: 'More actions' }).click()
  await expect(carl.page.getByRole('menuitem', { name: 'Mark as unread' })).toBeVisible()
  await expect(carl.page.getByRole('menuitem', { name: 'Edit history' })).toHaveCount(0)
  await expect(carl.message('at three').getByRole('button', { name: /Show the earlier texts/ })).toHaveCount(
    0,
  )
})
