import { expect, test, type User } from './users'

const details = (user: User) => user.page.getByRole('complementary', { name: 'Details' })

async function openMenu(user: User, name: string): Promise<void> {
  await details(user)
    .getByRole('button', { name: `Actions for ${name}` })
    .click()
  await expect(user.page.getByRole('menu')).toBeVisible()
}

async function choose(user: User, item: string): Promise<void> {
  await user.page.getByRole('menuitem', { name: item, exact: true }).click()
  await expect(user.page.getByRole('menu')).toHaveCount(0)
}

test('a moderator mutes a member, whose composer says until when, and unmutes them', async ({
  user,
  absent,
}) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const eve = await user('Eve')
  const id = await ada.group('Debate', [ben, eve])
  await ada.call('PATCH', `/v1/conversations/${id}/members/${ben.id}`, { role: 'moderator' })
  await eve.visit(id)
  await ben.page.goto(`/c/${id}/details`)
  // Whoever is above is out of reach.
  await openMenu(ben, 'Ada')
  await expect(ben.page.getByRole('menuitem', { name: 'Mute' })).toHaveCount(0)
  await ben.page.keyboard.press('Escape')
  await expect(ben.page.getByRole('menu')).toHaveCount(0)

  await openMenu(ben, 'Eve')
  await expect(ben.page.getByRole('menuitem', { name: 'Make admin' })).toHaveCount(0)
  await expect(ben.page.getByRole('menuitem', { name: 'Remove from group' })).toHaveCount(0)
  await choose(ben, 'Mute')
  const dialog = ben.page.getByRole('dialog', { name: 'Mute Eve' })
  await dialog.getByRole('button', { name: 'Mute' }).click()
  await expect(dialog).toHaveCount(0)
  await expect(eve.page.getByText(/You’ve been muted in this group until/)).toBeVisible()
  await expect(eve.composer).toHaveCount(0)
  await expect(details(ben).getByRole('listitem').filter({ hasText: 'Eve' })).toContainText('Muted')
  await openMenu(ben, 'Eve')
  await choose(ben, 'Unmute')
  await expect(eve.composer).toBeVisible()
})

test('a ban removes and is listed with its reason; once it is lifted one may come in again', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.group('Garden', [ben])
  await ada.call('PATCH', `/v1/conversations/${id}`, { visibility: 'public' })
  await ben.visit(id)
  await ada.page.goto(`/c/${id}/details`)
  await openMenu(ada, 'Ben')
  await choose(ada, 'Ban from group')
  const dialog = ada.page.getByRole('dialog', { name: 'Ban Ben' })
  await dialog.getByRole('textbox', { name: 'Reason' }).fill('Stole the carrots')
  await dialog.getByRole('button', { name: 'Ban' }).click()
  await expect(ben.page.getByText('You’re no longer in “Garden”.')).toBeVisible()
  await expect(details(ada).getByRole('listitem')).toHaveCount(1)

  await details(ada).getByRole('link', { name: 'Group settings' }).click()
  const banned = ada.page.getByRole('list', { name: 'Banned' }).getByRole('listitem')
  await expect(banned).toContainText('Stole the carrots')
  await ada.page.getByRole('button', { name: 'Lift the ban of Ben' }).click()
  await expect(ada.page.getByText('Nobody is banned.')).toBeVisible()
  await ben.call('POST', `/v1/conversations/${id}/join`)
  await expect(ben.row('Garden')).toBeVisible()
})

test('a message is reported to the operators, and its sender learns nothing of it', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ben.post(id, 'buy my pills')
  await ada.open(id)
  await ada.message('buy my pills').hover()
  await ada.message('buy my pills').getByRole('button', { name: 'Report' }).click()
  const dialog = ada.page.getByRole('dialog', { name: 'Report message' })
  await expect(dialog).toContainText('buy my pills')
  await dialog.getByRole('textbox', { name: 'What’s wrong with it?' }).fill('Advertising')
  await dialog.getByRole('button', { name: 'Report' }).click()
  await expect(ada.page.getByText('Reported. Thank you.')).toBeVisible()
  await expect(dialog).toHaveCount(0)
  await ada.message('buy my pills').hover()
  await expect(ada.message('buy my pills').getByRole('button', { name: 'Reply', exact: true })).toBeVisible()
})

test('blocking closes the composer, is listed in the settings, and can be taken back', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.page.goto(`/c/${id}/details`)
  await expect(ada.composer).toBeVisible()
  await details(ada).getByRole('button', { name: 'Block' }).click()
  await ada.page.getByRole('alertdialog').getByRole('button', { name: 'Block' }).click()
  await expect(ada.page.getByText('You blocked this person.')).toBeVisible()
  await expect(ada.composer).toHaveCount(0)

  await ada.page.goto('/settings')
  const blocked = ada.page.getByRole('list', { name: 'Blocked' }).getByRole('listitem')
  await expect(blocked).toContainText(`@${ben.account.username}`)
  await ada.page.getByRole('button', { name: 'Unblock Ben' }).click()
  await expect(ada.page.getByText('You haven’t blocked anyone.')).toBeVisible()
  await ada.visit(id)
  await ada.say('We can talk again')
  await expect(ben.row('Ada')).toContainText('We can talk again')
})
