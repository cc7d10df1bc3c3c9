/** Search in messages: everywhere and in one conversation, with what was said around a hit, and the way to it. */
import { expect, test } from './users'

test('search everywhere and in one conversation; a result opens the history at its message', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  const group = await ada.group('Launch', [ben])
  await ada.post(id, 'before the hit')
  await ben.post(id, 'Lunch <b>at</b> noon?')
  await ada.post(id, 'after the hit')
  await ben.post(group, 'lunch for the launch')
  await ada.page.getByRole('link', { name: 'Search messages' }).click()
  const field = ada.page.getByRole('searchbox', { name: 'Search messages' })
  await expect(field).toBeFocused()
  await field.fill('lunch')
  const hits = ada.page.getByRole('list', { name: 'Results' })
  // What was just written is found a moment later.
  await expect(async () => {
    await field.fill('')
    await field.fill('lunch')
    await expect(hits.locator('mark')).toHaveText(['lunch', 'Lunch'], { timeout: 3_000 })
  }).toPass()
  await expect(hits.getByRole('link')).toContainText(['in Launch', 'Lunch <b>at</b> noon?'])
  await ada.page.getByRole('combobox', { name: 'Where' }).selectOption({ label: 'Ben' })
  await expect(hits.getByRole('link')).toHaveCount(1)
  await hits.getByRole('button', { name: 'Show what was said around it' }).click()
  await expect(hits.locator('ol li')).toHaveText([/before the hit/, /Lunch/, /after the hit/])
  await hits.getByRole('link').click()
  await expect(ada.message('Lunch')).toHaveAttribute('data-tint', 'marked')
  await ada.page.goBack()
  await expect(field).toHaveValue('lunch')

  await ada.visit(id)
  await ada.page.getByRole('link', { name: 'Search in this conversation' }).click()
  await field.fill('before')
  await hits.getByRole('link').click()
  await expect(ada.message('before the hit')).toHaveAttribute('data-tint', 'marked')
  await expect(field).toBeVisible()
  await field.fill('nowhere')
  await expect(ada.page.getByText('No messages match “nowhere”.')).toBeVisible()
  await ada.page.getByRole('link', { name: 'Close search' }).click()
  await expect(field).toHaveCount(0)
})
