/** For everybody: axe finds nothing in any view, light, dark and on a phone; and all of it works by keyboard. */
import { gzipSync } from 'node:zlib'
import type { Response } from '@playwright/test'
import { COLOURS, expectClean } from './clean'
import { expect, PASSWORD, signedIn, signInAgain, test } from './users'

const SETTINGS = [
  { name: 'light', rules: undefined, options: { colorScheme: 'light' } },
  { name: 'dark', rules: COLOURS, options: { colorScheme: 'dark' } },
  {
    name: 'phone',
    rules: undefined,
    options: { colorScheme: 'light', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
  },
] as const

for (const { name, rules, options } of SETTINGS) {
  test(`axe finds nothing: ${name}`, async ({ user, browser }) => {
    test.setTimeout(300_000)
    const signedOut = await browser.newContext(options)
    const entry = await signedOut.newPage()
    await entry.goto('/register')
    await expect(entry.getByRole('heading', { name: 'Create your account' })).toBeVisible()
    await entry.getByRole('button', { name: 'Create an account' }).click()
    await expectClean(entry, 'register, with problems', rules)
    await entry.goto('/guest')
    await expect(entry.getByRole('button', { name: 'Continue as a guest' })).toBeVisible()
    await expectClean(entry, 'guest', rules)
    await signedOut.close()

    const ada = await user('Ada', options)
    const ben = await user('Ben')
    const { page } = ada
    await expectClean(page, 'first contact', rules)
    await page.goto('/new')
    await page.getByRole('combobox').fill(ben.account.username)
    await expect(page.getByRole('option')).toHaveCount(1)
    await expectClean(page, 'finding people', rules)
    await page.goto('/new/group')
    await expect(page.getByRole('button', { name: 'Create group' })).toBeVisible()
    await expectClean(page, 'new group', rules)

    const id = await ada.group('Group', [ben])
    await ben.open(id)
    await ben.say('Hello, see https://example.org and `code`\n```\nblock\n```')
    await ada.visit(id)
    await ada.say('Hello')
    await ada.expectMark('Hello', 'read')
    await ben.composer.pressSequentially('typing')
    await expect(page.getByText('Ben is typing')).toBeVisible()
    await expectClean(page, 'conversation', rules)
    await page.goto(`/c/${id}/details`)
    await expect(page.getByRole('button', { name: 'Actions for Ben' })).toBeVisible()
    await expectClean(page, 'details', rules)
    await page.getByRole('button', { name: 'Actions for Ben' }).click()
    await expect(page.getByRole('menu')).toBeVisible()
    await expectClean(page, 'menu', rules)
    const { code } = await ada.call<{ code: string }>('POST', `/v1/conversations/${id}/invites`, {})
    await ada.call('PATCH', `/v1/conversations/${id}`, { visibility: 'public', description: 'For all' })
    await page.goto(`/c/${id}/settings`)
    await expect(page.getByRole('button', { name: `Copy link ${code}` })).toBeVisible()
    await expectClean(page, 'group settings', rules)
    await page.goto('/channels')
    await expect(page.getByRole('list', { name: 'Public groups' })).toBeVisible()
    await expectClean(page, 'public groups', rules)
    await page.goto(`/invite/${code}`)
    await expect(page.getByRole('button', { name: 'Join group' })).toBeVisible()
    await expectClean(page, 'invite', rules)
    await page.goto('/settings')
    await expect(page.getByText('This device')).toBeVisible()
    await expectClean(page, 'settings', rules)
    await page.keyboard.press('Control+k')
    await expect(page.getByRole('dialog', { name: 'Go anywhere' })).toBeVisible()
    await expectClean(page, 'palette', rules)
    await page.keyboard.press('Escape')
    await page.goto(`/c/${id}`)
    await expect(ada.composer).toBeVisible()
    await ada.context.setOffline(true)
    await expect(page.getByText(/You’re offline/)).toBeVisible()
    await ada.composer.fill('waits')
    await ada.composer.press('Enter')
    await expectClean(page, 'offline', rules)
  })
}

test('keyboard only: sign in, find a user, send a message, open another conversation and return', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const { page } = ada
  const palette = page.getByRole('combobox', { name: 'Go anywhere' })
  await page.keyboard.press('Control+/')
  const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
  await expect(help.getByText('Edit your last message')).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(help).toHaveCount(0)
  await page.keyboard.press('Control+k')
  await expect(palette).toBeFocused()
  await page.keyboard.type('sett')
  await expect(page.getByRole('option', { selected: true })).toContainText('Settings')
  await page.keyboard.press('Enter')
  await expect(page).toHaveURL(/settings/)
  await page.keyboard.press('Control+k')
  await expect(palette).toBeFocused()
  await page.keyboard.type(ben.account.username)
  // The marked one, which Enter takes, is the one that was typed.
  await expect(page.getByRole('option', { selected: true })).toContainText(ben.account.username)
  await page.keyboard.press('Enter')
  await expect(ada.composer).toBeFocused()
  await page.keyboard.type('by keyboard')
  await page.keyboard.press('Enter')
  await ada.expectMark('by keyboard', 'sent')

  const group = await ada.group('Other', [ben])
  await expect(ada.row('Other')).toBeVisible()
  await page.keyboard.press('Alt+ArrowUp')
  await expect(page).toHaveURL(new RegExp(group))
  await page.keyboard.press('Alt+ArrowDown')
  await expect(page).not.toHaveURL(new RegExp(group))

  // From the history: up to a message, and with Tab to what can be done with it.
  await expect(ada.message('by keyboard')).toBeVisible()
  await ada.history.focus()
  await page.keyboard.press('ArrowUp')
  await expect(ada.message('by keyboard')).toBeFocused()
  await page.keyboard.press('Tab')
  await expect(ada.message('by keyboard').getByRole('button').first()).toBeFocused()

  await ada.row('Other').focus()
  await page.keyboard.press('ArrowDown')
  await expect(ada.row('Ben')).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(ada.composer).toBeFocused()
})

test('a dialog takes the focus, keeps it, and returns it when it closes', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.group('Group', [ben])
  await ada.page.goto(`/c/${id}/details`)
  const add = ada.page.getByRole('button', { name: 'Add people' })
  await add.focus()
  await ada.page.keyboard.press('Enter')
  await expect(ada.page.getByRole('combobox', { name: 'Find people' })).toBeFocused()
  for (let n = 0; n < 6; n += 1) await ada.page.keyboard.press('Tab')
  await expect(ada.page.getByRole('dialog').locator(':focus')).toHaveCount(1)
  await ada.page.keyboard.press('Escape')
  await expect(add).toBeFocused()
})

test('phone: one view at a time, each with its own address, and the back button works', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
  const ben = await absent('Ben')
  const id = await ada.group('Group', [ben])
  const { page } = ada
  await ada.row('Group').tap()
  await expect(ada.composer).toBeVisible()
  await expect(page.getByRole('navigation', { name: 'Conversations' })).toBeHidden()
  await page.getByRole('link', { name: 'Show details' }).tap()
  await expect(page).toHaveURL(new RegExp(`/c/${id}/details$`))
  await expect(ada.composer).toBeHidden()
  await page.goBack()
  await expect(ada.composer).toBeVisible()
  await page.goBack()
  await expect(ada.row('Group')).toBeVisible()
  for (const path of ['/', `/c/${id}`, `/c/${id}/details`, '/settings', '/new']) {
    await page.goto(path)
    await expect(page.locator('#main')).toBeAttached()
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    expect(wider, path).toBeLessThanOrEqual(0)
  }
})

test('touch screen: a long press opens the actions of a message, with large touch targets', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
  const ben = await absent('Ben')
  const id = await ada.group('Group', [ben])
  const { page } = ada
  await ada.visit(id)
  await ada.say('hold me')
  await ada.expectMark('hold me', 'sent')
  const who = await ada
    .message('hold me')
    .getByRole('button', { name: /Show who/ })
    .boundingBox()
  expect(Math.min(who?.width ?? 0, who?.height ?? 0)).toBeGreaterThanOrEqual(44)

  const box = await ada.message('hold me').boundingBox()
  const touchPoints = [{ x: 300, y: (box?.y ?? 0) + (box?.height ?? 0) - 10 }]
  const finger = await page.context().newCDPSession(page)
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', points: typeof touchPoints) =>
    finger.send('Input.dispatchTouchEvent', { type, touchPoints: points })
  const sheet = page.getByRole('dialog', { name: 'Message actions' })
  await touch('touchStart', touchPoints)
  await expect(sheet).toBeVisible()
  await touch('touchEnd', [])
  for (const button of await sheet.getByRole('button').all()) {
    // While the sheet opens it is drawn a little smaller.
    await expect.poll(async () => (await button.boundingBox())?.height).toBeGreaterThanOrEqual(44)
  }
  await expectClean(page, 'sheet')
  await sheet.getByRole('button', { name: 'Edit' }).tap()
  await expect(page.getByRole('textbox', { name: 'Editing message' })).toHaveValue('hold me')
  // With a screen reader or a hardware keyboard the same is found by a button.
  await ada.message('hold me').getByRole('button', { name: 'Message actions' }).focus()
  await page.keyboard.press('Enter')
  await sheet.getByRole('button', { name: 'Delete' }).tap()
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).tap()
  await expect(ada.message('Message deleted')).toBeVisible()
})

test('a new user sends a first message in four clicks, and types the rest', async ({ user, browser }) => {
  const ben = await user('Ben')
  const page = await browser.newPage()
  await page.goto('/')
  await page.getByRole('link', { name: 'Create an account' }).click()
  await expect(page.getByRole('textbox', { name: 'Username' })).toBeFocused()
  await page.keyboard.type(`new.${Date.now().toString(36)}`, { delay: 60 })
  await page.getByRole('textbox', { name: 'Password' }).click()
  await page.keyboard.type(PASSWORD, { delay: 60 })
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: 'Find people' }).click()
  await expect(page.getByRole('combobox', { name: 'Find people' })).toBeFocused()
  await page.keyboard.type(ben.account.username, { delay: 60 })
  await page.getByRole('option', { name: ben.account.username }).click()
  await expect(page.getByRole('textbox', { name: 'Message Ben' })).toBeFocused()
  await page.keyboard.type('Hello Ben!', { delay: 60 })
  await page.keyboard.press('Enter')
  await expect(ben.page.getByRole('navigation')).toContainText('Hello Ben!')
  await page.close()
})

test('the first load transfers less than 200 kB of script', async ({ absent, browser, request, baseURL }) => {
  const ada = await absent('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  const again = await signInAgain(request, ada.account)
  const context = await browser.newContext({ storageState: signedIn(again, baseURL) })
  const page = await context.newPage()
  const scripts: Promise<Buffer>[] = []
  const note = (response: Response): void => {
    if (response.request().resourceType() === 'script') scripts.push(response.body())
  }
  page.on('response', note)
  await page.goto(`/c/${id}`)
  // Until one can write; what is fetched ahead comes later.
  await expect(page.getByRole('textbox', { name: 'Message Ben' })).toBeVisible()
  page.off('response', note)
  const files = new Set((await Promise.all(scripts)).map((script) => script.toString('base64')))
  const bytes = [...files].reduce((sum, file) => sum + gzipSync(Buffer.from(file, 'base64')).length, 0)
  expect(bytes).toBeGreaterThan(50_000)
  expect(bytes).toBeLessThan(200_000)
  await page.getByRole('textbox', { name: 'Message Ben' }).fill('hello')
  await page.keyboard.press('Enter')
  await expect(page.locator('[data-mark="sent"]')).toBeVisible()
  await context.close()
})
