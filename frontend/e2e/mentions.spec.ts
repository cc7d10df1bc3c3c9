/** Completion in the composer: who is meant by name, emoji by their shortcodes; and who is meant sees it. */
import { expect, test } from './users'

test('@ completes the names of members; a mention is highlighted for the mentioned user', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const eve = await absent('Eve')
  const id = await ada.group('Three', [ben, eve])
  await ada.open(id)
  await ben.open(id)
  await ada.composer.pressSequentially('look, @')
  const list = ada.page.getByRole('listbox', { name: 'Suggestions' })
  await expect(list.getByRole('option')).toHaveCount(2)
  await ada.composer.pressSequentially('be')
  await expect(list.getByRole('option')).toHaveText([new RegExp(`Ben.*@${ben.account.username}`)])
  await ada.composer.press('Enter')
  await expect(ada.composer).toHaveValue(`look, @${ben.account.username} `)
  await expect(list).toHaveCount(0)
  await ada.composer.press('Enter')
  await expect(ben.message('look').locator('[data-mention="me"]')).toHaveText(`@${ben.account.username}`)
  await expect(ben.message('look')).toHaveAttribute('data-tint', 'mention')
  await expect(ada.message('look').locator('[data-mention]')).toHaveText(`@${ben.account.username}`)
  await expect(ada.message('look')).not.toHaveAttribute('data-tint', 'mention')
})

test(':shortcodes: are completed and replaced; Escape keeps the text; the button opens the emoji picker', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  await ada.open(await ada.directWith(ben))
  await ada.composer.pressSequentially('well done :tad')
  const list = ada.page.getByRole('listbox', { name: 'Suggestions' })
  await expect(list.getByRole('option').first()).toHaveText(/🎉\s*:tada:/)
  await ada.composer.press('Tab')
  await expect(ada.composer).toHaveValue('well done 🎉 ')
  await ada.composer.pressSequentially(':heart:')
  await expect(ada.composer).toHaveValue('well done 🎉 ❤️')
  await ada.composer.fill('')
  await ada.composer.pressSequentially('at :smil')
  await expect(list).toBeVisible()
  await ada.composer.press('Escape')
  await expect(list).toHaveCount(0)
  await ada.composer.press('Enter')
  await ada.expectMark('at :smil', 'sent')
  await ada.page.getByRole('button', { name: 'Emoji' }).click()
  const picker = ada.page.getByRole('dialog', { name: 'Choose an emoji' })
  await picker.getByRole('searchbox').fill('rocket')
  await picker.getByRole('gridcell', { name: 'Rocket' }).click()
  await expect(ada.composer).toHaveValue('🚀')
  await expect(ada.composer).toBeFocused()
})
