import { expect, test } from './users'

test('start a direct conversation by searching for a user', async ({ user }) => {
  const ada = await user('Ada Lovelace')
  const ben = await user('Ben Okri')
  await ada.page.getByRole('link', { name: 'Find people' }).click()
  await ada.page.getByRole('combobox', { name: 'Find people' }).fill(ben.account.username)
  await expect(ada.page.getByRole('option', { name: 'Ben Okri' })).toBeVisible()
  await ada.page.keyboard.press('Enter')
  await ada.say('Hello Ben')
  await expect(ben.row('Ada Lovelace')).toContainText('Hello Ben')
  await expect(ben.row('Ada Lovelace')).toContainText('1 unread message')
})

test('quick search: the results match what is typed, also while a response is pending', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const { page } = ada
  await page.keyboard.press('Control+k')
  const palette = page.getByRole('combobox', { name: 'Go anywhere' })
  await expect(palette).toBeFocused()
  const options = page.getByRole('option')
  await page.keyboard.type('ben')
  await expect(options.filter({ hasText: '@ben.' }).first()).toBeVisible()
  await page.route('**/v1/users?*', () => undefined)
  await page.keyboard.type('jamin')
  await expect(options).toHaveCount(0)
  await page.unroute('**/v1/users?*')
  await palette.fill(ben.account.username)
  await expect(options).toHaveCount(1)
  await expect(options).toContainText(ben.account.username)
})

test('conversation list: sorting, last message, unread count, presence, typing, draft, filter', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const eve = await user('Eve')
  const withBen = await ada.directWith(ben)
  const withEve = await ada.directWith(eve)
  await ben.post(withBen, 'from Ben')
  await eve.post(withEve, 'from Eve')
  const rows = ada.page.getByRole('navigation', { name: 'Conversations' }).getByRole('link')
  await expect(rows).toHaveText([/Eve.*from Eve/, /Ben.*from Ben/])
  await ben.post(withBen, 'again Ben')
  await expect(rows).toHaveText([/Ben.*again Ben/, /Eve.*from Eve/])
  await expect(ada.row('Ben')).toContainText('2 unread messages')
  await expect(ada.row('Ben').getByRole('img', { name: 'Online' })).toBeVisible()

  await ben.open(withBen)
  await ben.composer.pressSequentially('I am')
  await expect(ada.row('Ben')).toContainText('typing…')
  await ben.composer.fill('')
  await expect(ada.row('Ben')).not.toContainText('typing…')

  await ada.row('Eve').click()
  await ada.composer.fill('half a thought')
  await ada.row('Ben').click()
  await expect(ada.row('Eve')).toContainText('Draft: half a thought')
  await expect(ada.row('Ben')).not.toContainText('unread')

  await ada.page.getByRole('searchbox').fill('ev')
  await expect(rows).toHaveText([/Eve/])
  await ada.page.getByRole('searchbox').fill('nobody at all')
  await expect(ada.page.getByText('No conversation matches “nobody at all”.')).toBeVisible()
  await ada.page.getByRole('button', { name: 'Clear filter' }).last().click()
  await expect(rows).toHaveCount(2)
})

test('a user goes offline: the dot disappears and last seen is shown', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  const head = ada.page.locator('#main header')
  await expect(head).toContainText('Online')
  await ben.context.close()
  await expect(head).toContainText(/Last seen (now|\d+ (second|minute)s? ago)/, { timeout: 45_000 })
})

test('status and status text are shown to other users', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ben.open(id)
  await ada.page.getByRole('button', { name: 'Your account and status' }).click()
  await ada.page.getByRole('menuitemradio', { name: 'Do not disturb' }).click()
  await expect(ben.page.locator('#main header')).toContainText('Do not disturb')
  await ada.page.getByRole('button', { name: 'Your account and status' }).click()
  await ada.page.getByRole('menuitem', { name: 'Status message' }).click()
  await ada.page.getByRole('textbox', { name: 'Status message' }).fill('In the library')
  await ada.page.getByRole('button', { name: 'Save' }).click()
  await expect(ben.page.locator('#main header')).toContainText('In the library · Do not disturb')
})

test('create a group, rename it, add, promote and remove members, leave it', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const eve = await user('Eve')
  const { page } = ada
  await page.getByRole('link', { name: 'New conversation' }).first().click()
  await page
    .getByRole('dialog')
    .getByRole('link', { name: /New group/ })
    .click()
  await page.getByRole('textbox', { name: 'Group name' }).fill('Hikers')
  await page.getByRole('combobox', { name: 'Find people' }).fill(ben.account.username)
  await page.getByRole('option', { name: 'Ben' }).click()
  await expect(page.getByText('1 person chosen')).toBeVisible()
  await page.getByRole('button', { name: 'Create group' }).click()
  await expect(page.getByRole('heading', { name: 'Hikers' })).toBeVisible()
  await expect(ben.row('Hikers')).toBeVisible()

  await page.getByRole('link', { name: 'Show details' }).click()
  const details = page.getByRole('complementary', { name: 'Details' })
  await details.getByRole('button', { name: 'Rename' }).click()
  await page.getByRole('textbox', { name: 'Group name' }).fill('Night hikers')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(ben.row('Night hikers')).toBeVisible()

  await details.getByRole('button', { name: 'Add people' }).click()
  await page.getByRole('combobox', { name: 'Find people' }).fill(eve.account.username)
  await page.getByRole('option', { name: 'Eve' }).click()
  await page.getByRole('button', { name: 'Add 1 person' }).click()
  await expect(eve.row('Night hikers')).toBeVisible()
  await expect(page.locator('#main header').first()).toContainText('3 members')

  await ben.row('Night hikers').click()
  await ben.page.getByRole('link', { name: 'Show details' }).click()
  const bens = ben.page.getByRole('complementary', { name: 'Details' })
  await expect(bens.getByRole('listitem')).toHaveCount(3)
  await expect(bens.getByRole('button', { name: 'Rename' })).toHaveCount(0)
  await details.getByRole('button', { name: 'Actions for Ben' }).click()
  await page.getByRole('menuitem', { name: 'Make admin' }).click()
  await expect(bens.getByRole('button', { name: 'Rename' })).toBeVisible()
  await expect(details.getByRole('listitem').filter({ hasText: 'Ben' })).toContainText('Admin')

  await details.getByRole('button', { name: 'Leave group' }).click()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Leave group' }).click()
  await expect(page.getByText('Hello, Ada')).toBeVisible()
  await expect(bens.getByRole('listitem')).toHaveCount(2)
  await expect(bens.getByRole('listitem').filter({ hasText: 'Ben' })).toContainText('Owner')
})

test('a member removed from an open group gets a notice, is redirected, and sees nothing more of it', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.group('Secret plans', [ben])
  await ben.open(id)
  await ada.page.goto(`/c/${id}/details`)
  await ada.page.getByRole('button', { name: 'Actions for Ben' }).click()
  await ada.page.getByRole('menuitem', { name: 'Remove from group' }).click()
  await ada.page.getByRole('alertdialog').getByRole('button', { name: 'Remove from group' }).click()
  await expect(ben.page.getByText('You’re no longer in “Secret plans”.')).toBeVisible()
  await expect(ben.row('Secret plans')).toHaveCount(0)
  await ada.post(id, 'now we can talk')
  await expect(ada.message('now we can talk')).toBeVisible()
  await ben.page.goto(`/c/${id}`)
  await expect(ben.page.getByText('This page doesn’t exist.')).toBeVisible()
  await expect(ben.page.getByText('now we can talk')).toHaveCount(0)
})

test('the head of a group: how many are online, the way to the members, notifications', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const others = await Promise.all(['Cleo', 'Dan', 'Eve'].map(absent))
  const id = await ada.group('Hikers', [ben, ...others])
  const { page } = ada
  await ada.open(id)
  await page.getByRole('link', { name: '5 members, 2 online' }).click()
  const details = page.getByRole('complementary', { name: 'Details' })
  await expect(details.getByRole('listitem')).toHaveCount(5)
  await ada.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await details.getByRole('button', { name: 'Copy link' }).click()
  await expect(page.getByText('Copied')).toBeVisible()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(new RegExp(`/c/${id}$`))
  await page.getByRole('link', { name: '5 members, 2 online' }).click()
  await expect(details).toHaveCount(0)
  await ben.context.close()
  await expect(page.getByRole('link', { name: '5 members', exact: true })).toBeVisible()

  await page.getByRole('button', { name: 'Notifications', exact: true }).click()
  await page.getByRole('menuitem', { name: 'Mute for 1 hour' }).click()
  await page.getByRole('button', { name: 'Notifications: Muted' }).click()
  await page.getByRole('menuitem', { name: 'Unmute' }).click()
  await expect(page.getByRole('button', { name: 'Notifications', exact: true })).toBeFocused()
})

test('details: a member is found by name where there are many; a click beside them closes them', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const others = await Promise.all([...'BCDEFGHIJK'].map((letter) => absent(`${letter}ora`)))
  const id = await ada.group('Choir', others)
  const { page } = ada
  await page.goto(`/c/${id}/details`)
  const details = page.getByRole('complementary', { name: 'Details' })
  await expect(details.getByRole('listitem')).toHaveCount(11)
  const field = details.getByRole('searchbox', { name: 'Find a member' })
  await field.fill('gora')
  await expect(details.getByRole('listitem')).toHaveText([/Gora/])
  await field.fill('nobody')
  await expect(details.getByText('No results for “nobody”.')).toBeVisible()

  await page.setViewportSize({ width: 820, height: 900 })
  await page.mouse.click(400, 500)
  await expect(details).toHaveCount(0)
  await expect(page).toHaveURL(new RegExp(`/c/${id}$`))
})

test('a new group: those one talks to are offered at once, and picked by the arrows', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const cleo = await absent('Cleo')
  await ada.directWith(ben)
  await ada.directWith(cleo)
  const { page } = ada
  await page.goto('/new/group')
  await page.getByRole('textbox', { name: 'Group name' }).fill('Hikers')
  const field = page.getByRole('combobox', { name: 'Find people' })
  await expect(page.getByRole('option')).toHaveText([/Cleo/, /Ben/])
  await field.press('Enter')
  await expect(page.getByText('0 people chosen')).toBeVisible()
  await field.press('ArrowDown')
  await field.press('ArrowDown')
  await field.press('Enter')
  await expect(page.getByRole('button', { name: 'Remove Ben' })).toBeVisible()
  await page.getByRole('button', { name: 'Create group' }).click()
  await expect(page.getByRole('link', { name: '2 members' })).toBeVisible()
})
