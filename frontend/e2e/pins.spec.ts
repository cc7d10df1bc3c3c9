/** Pinned messages: for everybody, at once, and found again however far back they are. */
import { expectClean } from './clean'
import { expect, test, type User } from './users'

async function choose(user: User, message: string, action: string): Promise<void> {
  const row = user.message(message).first()
  await row.hover()
  await row.getByRole('button', { name: 'More actions' }).click()
  await user.page.getByRole('menuitem', { name: action }).click()
  await expect(user.page.getByRole('menu')).toHaveCount(0)
}

test('pinned by one, seen by the other at once; the list leads to the message, and unpinning empties it', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.group('Launch', [ben])
  const rules = await ada.post(id, 'The rules of this group')
  await ada.open(id)
  await ben.open(id)
  await expect(ada.message('The rules')).toBeVisible()
  await expect(ben.message('The rules')).toBeVisible()
  await expect(ben.page.getByRole('link', { name: 'Pinned messages' })).toHaveCount(0)
  await choose(ada, 'The rules', 'Pin')
  for (const one of [ada, ben]) await expect(one.message('The rules')).toContainText('Pinned by Ada')
  await expectClean(ada.page, 'a pinned message')

  for (let n = 1; n <= 40; n += 1)
    await expect(() => (n % 2 === 0 ? ada : ben).post(id, `line ${String(n)}.`)).toPass()
  await expect(ben.message('line 40.')).toBeVisible()
  await ben.page.getByRole('link', { name: 'Pinned messages' }).click()
  const pins = ben.page.getByRole('list', { name: 'Pinned messages' })
  await expect(pins.getByRole('listitem')).toHaveCount(1)
  await expectClean(ben.page, 'the list of pins')
  await pins.getByRole('link').click()
  await expect(ben.message('The rules')).toBeInViewport()
  await expect(ben.message('The rules')).toHaveAttribute('data-tint', 'marked')
  await expect(pins).toBeVisible()

  const second = await ada.post(id, 'A second pin')
  await ada.call('PUT', `/v1/conversations/${id}/messages/${second.id}/pin`)
  await expect(pins.getByRole('listitem')).toContainText(['A second pin', 'The rules'])
  await ada.call('DELETE', `/v1/conversations/${id}/messages/${rules.id}`)
  await expect(pins.getByRole('listitem')).toHaveCount(1)
  await pins.getByRole('button', { name: 'Unpin the message of Ada' }).click()
  await expect(ben.page.getByText('Nothing is pinned')).toBeVisible()
  await ben.page.getByRole('button', { name: 'Close pinned messages' }).click()
  await expect(ben.page.getByRole('link', { name: 'Pinned messages' })).toHaveCount(0)
})

test('pins that were made before are listed, and on a phone a pin leads back into the conversation', async ({
  user,
  absent,
}) => {
  const ada = await absent('Ada')
  const ben = await user('Ben', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
  const id = await ada.directWith(ben)
  const pinned = await ada.post(id, 'from before')
  await ada.call('PUT', `/v1/conversations/${id}/messages/${pinned.id}/pin`)
  await ben.visit(id)
  await ben.page.getByRole('link', { name: 'Pinned messages' }).tap()
  const pins = ben.page.getByRole('list', { name: 'Pinned messages' })
  await expect(pins.getByRole('listitem')).toHaveCount(1)
  await expectClean(ben.page, 'pins on a phone')
  await pins.getByRole('link').tap()
  await expect(ben.composer).toBeVisible()
  await expect(ben.message('from before')).toHaveAttribute('data-tint', 'marked')
})

test('keyboard: P pins the message that has the focus, and again takes the pin off', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ben.post(id, 'by keyboard')
  await ada.open(id)
  await expect(ada.message('by keyboard')).toBeVisible()
  await ada.history.focus()
  await ada.page.keyboard.press('ArrowUp')
  await expect(ada.message('by keyboard')).toBeFocused()
  await ada.page.keyboard.press('p')
  await expect(ada.message('by keyboard')).toContainText('Pinned by Ada')
  await ada.page.keyboard.press('p')
  await expect(ada.message('by keyboard')).not.toContainText('Pinned by')
})
