/** Reactions: seen at once by everybody, added and taken back by a click, chosen among all emoji. */
import AxeBuilder from '@axe-core/playwright'
import { expect, test } from './users'

test('react from the toolbar; other users see it, add to it, and see who reacted', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.group('Three', [ben])
  await ada.open(id)
  await ben.open(id)
  await ada.say('It works!')
  await ben.message('It works!').hover()
  await ben.message('It works!').getByRole('button', { name: 'React with 👍' }).click()
  const chip = ada.message('It works!').getByRole('button', { name: '👍, 1 reaction' })
  await expect(chip).toBeVisible()
  await expect(chip).toHaveAttribute('aria-pressed', 'false')
  await expect(chip).toHaveAttribute('title', 'Ben')
  await chip.click()
  const both = ben.message('It works!').getByRole('button', { name: '👍, 2 reactions' })
  await expect(both).toHaveAttribute('aria-pressed', 'true')
  await ada.message('It works!').hover()
  await ada.message('It works!').getByRole('button', { name: 'Who?' }).click()
  const who = ada.page.getByRole('dialog', { name: 'Reactions' })
  await expect(who.getByRole('listitem')).toHaveText([/Ben/, /Ada/])
  await ada.page.keyboard.press('Escape')
  await both.click()
  await expect(chip).toBeVisible()
  await expect(chip).toHaveAttribute('title', 'You')
  await ada.page.reload()
  await expect(chip).toHaveAttribute('aria-pressed', 'true')
  await chip.click()
  await expect(ben.message('It works!').getByRole('list', { name: 'Reactions' })).toHaveCount(0)
})

test('emoji picker: keyboard shortcut, search, skin tones, recent emoji', async ({ user, absent }) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.post(id, 'Hello')
  await ben.open(id)
  await expect(ben.message('Hello')).toBeVisible()
  await ben.history.focus()
  await ben.page.keyboard.press('ArrowUp')
  await expect(ben.message('Hello')).toBeFocused()
  await ben.page.keyboard.press('+')
  const picker = ben.page.getByRole('dialog', { name: 'Choose an emoji' })
  await expect(picker.getByRole('searchbox', { name: 'Search emoji' })).toBeFocused()
  await picker.getByRole('combobox', { name: 'Skin tone' }).selectOption('dark')
  await picker.getByRole('searchbox').fill('waving')
  await expect(picker.getByRole('gridcell').first()).toHaveAccessibleName('Waving hand')
  const { violations } = await new AxeBuilder({ page: ben.page }).include('[role="dialog"]').analyze()
  expect(
    violations.map(({ id: rule, nodes }) => `${rule}: ${nodes.map(({ html }) => html).join('\n')}`),
  ).toEqual([])
  await ben.page.keyboard.press('Enter')
  await expect(picker).toHaveCount(0)
  await expect(ben.message('Hello').getByRole('button', { name: '👋🏿, 1 reaction' })).toBeVisible()
  await ben.message('Hello').hover()
  await expect(ben.message('Hello').getByRole('button', { name: 'React with 👋🏿' })).toBeVisible()
})

test('touch screen: a long press offers recent emoji and the picker', async ({ user, absent }) => {
  const ada = await user('Ada', {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  })
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ben.post(id, 'hold me')
  await ada.visit(id)
  await ada.message('hold me').getByRole('button', { name: 'Message actions' }).focus()
  await ada.page.keyboard.press('Enter')
  const sheet = ada.page.getByRole('dialog', { name: 'Message actions' })
  await sheet.getByRole('button', { name: 'Add a reaction' }).tap()
  await sheet.getByRole('searchbox').fill('rocket')
  await sheet.getByRole('gridcell', { name: 'Rocket' }).tap()
  await expect(ada.message('hold me').getByRole('button', { name: '🚀, 1 reaction' })).toBeVisible()
})
