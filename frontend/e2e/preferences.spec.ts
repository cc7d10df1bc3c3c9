/** Settings that the server keeps: notifications, privacy, the status one shows. */
import { expect, test } from './users'

test('notifications: the level for all, what differs, quiet hours; all kept by the server', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.group('Book club', [ben])
  const { page } = ada
  await page.goto(`/c/${id}/details`)
  await page.getByRole('button', { name: 'Notifications: All messages' }).click()
  await page.getByRole('menuitemradio', { name: 'Nothing' }).click()
  await expect(page.getByRole('button', { name: 'Notifications: Nothing' })).toBeVisible()

  await page.goto('/settings')
  await page.getByRole('combobox', { name: 'Notify me of' }).selectOption('Mentions only')
  await expect
    .poll(() => ada.call('GET', '/v1/notification-settings'))
    .toMatchObject({ settings: { level: 'mentions' }, conversations: { [id]: { level: 'none' } } })
  const differing = page.getByRole('list', { name: 'Conversations that differ' }).getByRole('listitem')
  await expect(differing).toHaveText([/Book club.*Nothing/])
  await page.getByRole('button', { name: 'Use the default for Book club' }).click()
  await expect(differing).toHaveCount(0)

  await page.getByRole('switch', { name: 'Quiet hours' }).check()
  await expect(page.getByLabel('From')).toHaveValue('22:00')
  await page.getByLabel('From').fill('21:30')
  await expect
    .poll(() => ada.call('GET', '/v1/notification-settings'))
    .toMatchObject({ settings: { quiet_hours: { from: '21:30', to: '07:00' } }, conversations: {} })
  await page.reload()
  await expect(page.getByLabel('From')).toHaveValue('21:30')
  await page.goto(`/c/${id}/details`)
  await page.getByRole('button', { name: 'Notifications: Mentions only' }).click()
  await expect(page.getByRole('menuitemradio', { name: 'Default (Mentions only)' })).toBeChecked()
})

test('a conversation is muted for an hour, and unmuted', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.group('Loud', [ben])
  const { page } = ada
  await page.goto(`/c/${id}/details`)
  await page.getByRole('button', { name: 'Notifications: All messages' }).click()
  await page.getByRole('menuitem', { name: 'Mute for 1 hour' }).click()
  await expect(page.getByRole('button', { name: /^Notifications: Muted until/ })).toBeVisible()
  await ben.post(id, 'anybody?')
  await expect(ada.row('Loud')).toContainText('anybody?')
  await page.getByRole('button', { name: /^Notifications: Muted until/ }).click()
  await page.getByRole('menuitem', { name: 'Unmute' }).click()
  await expect(page.getByRole('button', { name: 'Notifications: All messages' })).toBeVisible()
})

test('who may see when one was last online', async ({ user }) => {
  const ada = await user('Ada')
  const { page } = ada
  await page.goto('/settings')
  const choice = page.getByRole('combobox', { name: 'Who can see when you were last online' })
  await expect(choice).toHaveValue('everyone')
  await choice.selectOption('contacts')
  await expect.poll(() => ada.call('GET', '/v1/presence/me')).toMatchObject({ last_seen_visible: 'contacts' })
  await page.reload()
  await expect(choice).toHaveValue('contacts')
})

test('a status with an emoji and an end is shown to others, and cleared', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ben.open(id)
  const { page } = ada
  const open = async (): Promise<void> => {
    await page.getByRole('button', { name: 'Your account and status' }).click()
    await page.getByRole('menuitem', { name: 'Status message' }).click()
    await expect(page.getByRole('dialog', { name: 'Status message' })).toBeVisible()
  }
  await open()
  await page.getByRole('button', { name: 'Choose an emoji' }).click()
  await page.getByRole('searchbox', { name: 'Search emoji' }).fill('palm tree')
  await page.getByRole('gridcell', { name: 'Palm tree' }).click()
  await page.getByRole('textbox', { name: 'Status message' }).fill('On holiday')
  await page.getByRole('combobox', { name: 'Clear after' }).selectOption('1 hour')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(ben.page.locator('#main header')).toContainText('🌴 On holiday · Online')
  const soon = new Date(Date.now() + 3_700_000).toISOString()
  const { status_expires_at } = await ada.call<{ status_expires_at: string }>('GET', '/v1/presence/me')
  expect(status_expires_at < soon).toBe(true)

  await open()
  await page.getByRole('button', { name: 'Clear' }).click()
  await expect(page.getByRole('textbox', { name: 'Status message' })).toHaveValue('')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(ben.page.locator('#main header')).not.toContainText('On holiday')
})
