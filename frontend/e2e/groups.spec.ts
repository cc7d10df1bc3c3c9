import { expect, test, type User } from './users'

const pane = (user: User) => user.page.getByRole('complementary', { name: 'Group settings' })

async function openSettings(user: User, id: string): Promise<void> {
  await user.page.goto(`/c/${id}/details`)
  await user.page.getByRole('link', { name: 'Group settings' }).click()
  await expect(pane(user).getByRole('heading', { name: 'About' })).toBeVisible()
}

test('a public group: created, found by search, joined, and written to', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const title = `Stargazers ${ada.account.username}`
  const { page } = ada
  await page.goto('/new/group')
  await page.getByRole('textbox', { name: 'Group name' }).fill(title)
  await page.getByRole('switch', { name: 'Public group' }).check()
  await page.getByRole('button', { name: 'Create group' }).click()
  await expect(page.getByRole('heading', { name: title })).toBeVisible()

  await ben.page.getByRole('link', { name: 'New conversation' }).first().click()
  await ben.page.getByRole('dialog').getByRole('link', { name: 'Public groups' }).click()
  await ben.page.getByRole('searchbox', { name: 'Search public groups' }).fill(title)
  await expect(ben.page.getByRole('main').getByRole('listitem').filter({ hasText: title })).toContainText(
    '1 member',
  )
  await ben.page.getByRole('button', { name: `Join ${title}` }).click()
  await expect(ben.composer).toBeVisible()
  await ben.say('I am in')
  await expect(ada.message('I am in')).toBeVisible()
  await expect(page.locator('#main header').first()).toContainText('2 members')

  await ben.page.goto('/channels')
  await ben.page.getByRole('searchbox', { name: 'Search public groups' }).fill(title)
  await ben.page.getByRole('link', { name: `Open ${title}` }).click()
  await expect(ben.message('I am in')).toBeVisible()
})

test('name, description and picture of a group reach its members; a wrong address is refused', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.group('Walks', [ben])
  await ben.page.goto(`/c/${id}/details`)
  await openSettings(ada, id)
  const settings = pane(ada)
  await settings.getByRole('textbox', { name: 'Group name' }).fill('Long walks')
  await settings.getByRole('textbox', { name: 'Description' }).fill('Every Sunday,\nrain or shine')
  await settings.getByRole('textbox', { name: 'Picture' }).fill('http://example.org/x.png')
  await settings.getByRole('button', { name: 'Save' }).click()
  await expect(settings.getByText('Use the address of an image that begins with https://')).toBeVisible()
  await settings.getByRole('textbox', { name: 'Picture' }).fill('')
  await settings.getByRole('button', { name: 'Save' }).click()
  await expect(ben.row('Long walks')).toBeVisible()
  const details = ben.page.getByRole('complementary', { name: 'Details' })
  await expect(details.getByText('Every Sunday, rain or shine')).toBeVisible()
  await expect(details.getByRole('link', { name: 'Group settings' })).toHaveCount(0)
})

test('the composer says why it is closed: announcements only, archived; and opens again', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.group('Notices', [ben])
  await ben.visit(id)
  await openSettings(ada, id)
  await pane(ada).getByRole('switch', { name: 'Announcements only' }).check()
  await expect(ben.page.getByText('Only admins and moderators can send messages here.')).toBeVisible()
  await expect(ben.composer).toHaveCount(0)
  await expect(ada.composer).toBeVisible()
  await pane(ada).getByRole('switch', { name: 'Announcements only' }).uncheck()
  await expect(ben.composer).toBeVisible()

  const root = await ada.post(id, 'Read me')
  await ben.say('Done')
  await expect(ada.message('Done')).toBeVisible()
  await ben.call('PUT', `/v1/conversations/${id}/messages/${root.id}/reactions/${encodeURIComponent('👍')}`)
  const elsewhere = await ben.group('Elsewhere', [ada])
  await ben.post(elsewhere, 'Update')
  await pane(ada).getByRole('button', { name: 'Archive group' }).click()
  await ada.page.getByRole('alertdialog').getByRole('button', { name: 'Archive group' }).click()
  await expect(ben.page.getByText('This group is archived.')).toBeVisible()
  await expect(ada.page.getByText('This group is archived. You can read')).toBeVisible()
  // Nothing is offered that the server would refuse; what is there can be read, copied and passed on.
  const offered = async (text: string): Promise<string[]> => {
    await ben.message(text).hover()
    const group = ben.message(text).getByRole('group', { name: 'Message actions' })
    await expect(group.getByRole('button').first()).toBeVisible()
    return group
      .getByRole('button')
      .evaluateAll((all) => all.map((one) => one.getAttribute('aria-label') ?? ''))
  }
  expect(await offered('Done')).toEqual(['Copy text', 'Forward', 'Delete', 'More actions'])
  expect(await offered('Read me')).toEqual(['Copy text', 'Forward', 'Report', 'More actions'])
  await ben.message('Read me').getByRole('button', { name: '👍, 1 reaction' }).click()
  await expect(ben.page.getByRole('dialog', { name: 'Reactions' })).toContainText('Ben')
  await ben.page.keyboard.press('Escape')
  await ben.page.goto(`/c/${id}/thread/${root.id}`)
  const thread = ben.page.getByRole('complementary', { name: 'Thread' })
  await expect(thread.getByText('This group is archived.')).toBeVisible()
  await ben.visit(elsewhere)
  await ben.message('Update').hover()
  await ben.message('Update').getByRole('button', { name: 'Forward' }).click()
  const target = ben.page.getByRole('option', { name: /Notices/ })
  await expect(target).toContainText('Archived')
  await expect(target).toHaveAttribute('aria-disabled', 'true')
  await ben.page.keyboard.press('Escape')
  await ben.page.goto(`/c/${id}`)
  await pane(ada).getByRole('button', { name: 'Restore group' }).click()
  await expect(ben.composer).toBeVisible()
})

test('slow mode: it is said how long, and the next message goes out by itself', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.group('Slowly', [ben])
  await ben.visit(id)
  await openSettings(ada, id)
  await pane(ada).getByRole('combobox', { name: 'Slow mode' }).selectOption('5')
  await expect(ben.page.getByText('Slow mode: one message every 5 seconds.')).toBeVisible()
  await ben.say('first')
  await ben.say('second')
  await expect(ben.page.getByText(/your next message can go out in/)).toBeVisible()
  await expect(ada.message('second')).toBeVisible()
  await expect(ada.page.getByText(/^Slow mode: /)).toHaveCount(0)
})

test('a deleted group is gone for everybody', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.group('Short-lived', [ben])
  await ben.visit(id)
  await openSettings(ada, id)
  await pane(ada).getByRole('button', { name: 'Delete group' }).click()
  await ada.page.getByRole('alertdialog').getByRole('button', { name: 'Delete group' }).click()
  await expect(ada.row('Short-lived')).toHaveCount(0)
  await expect(ben.row('Short-lived')).toHaveCount(0)
  await expect(ben.page.getByText('You’re no longer in “Short-lived”.')).toBeVisible()
})
