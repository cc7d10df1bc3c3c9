/** The pictures of the README: `npm run pictures` writes them. */
import { join } from 'node:path'
import { expect, signedIn, signInAgain, test, type User } from './users'
import type { Page } from '@playwright/test'

const FOLDER = join(import.meta.dirname, '../../docs/images')

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }

async function shoot(page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0)
  await page.evaluate(() => document.fonts.ready)
  await page.screenshot({
    path: join(FOLDER, `${name}.png`),
    animations: 'disabled',
  })
}

async function signIn(page: Page, { account }: User): Promise<void> {
  const { cookies, origins } = signedIn(await signInAgain(page.request, account), page.url())
  await page.context().addCookies(cookies)
  for (const { name, value } of origins.flatMap(({ localStorage }) => localStorage)) {
    await page.evaluate(([key, text]) => localStorage.setItem(key, text), [name, value] as const)
  }
}

test('pictures', async ({ user, browser }) => {
  test.setTimeout(300_000)
  const ada = await user('Ada Lovelace', { viewport: { width: 1440, height: 900 } })
  const ben = await user('Ben Okri')
  const grace = await user('Grace Hopper')
  const lin = await user('Lin Zhao')
  const noor = await user('Noor Haddad')
  const group = await ada.group('Weekend in the hills', [ben, grace, lin, noor])
  const withGrace = await grace.directWith(ada)
  const withLin = await lin.directWith(ada)
  const release = await noor.group('Release 2.4', [ada, ben, lin])
  await noor.post(release, 'The build is green on both branches.')
  await lin.post(release, 'Then we tag it tomorrow at nine?')
  await lin.post(withLin, 'Did you see the photos? 📷')
  await grace.post(withGrace, 'I found the moth. It was in relay 70.')
  await grace.post(withGrace, 'Shall I tape it into the log book?')
  await ben.post(group, 'Morning all! The forecast for Saturday has turned: sunny from ten, light wind.')
  await grace.post(group, 'Finally. I was about to pack the big coat.')
  await grace.post(group, 'Which train do we take?')
  await lin.post(
    group,
    'There are two that fit:\n```\n07:42  direct       2 h 10\n08:15  one change   1 h 55\n```\nThe second one is faster but full, says https://trains.example.org/hills',
  )
  for (const other of [ben, grace, lin, noor]) await other.open(group)
  await ada.page.goto(`/c/${group}`)
  await ada.say('07:42 then. I would rather have a window than fifteen minutes.')
  await ada.say('I will bring the stove and the map.')
  await ben.say('🥾⛰️')
  await ben.say('Tea is on me.')
  await ada.expectMark('I will bring the stove', 'read')
  await noor.composer.pressSequentially('I')
  await expect(ada.page.getByText('Noor Haddad is typing')).toBeVisible()
  await shoot(ada.page, 'conversation-light')
  await ada.page.evaluate(() => (document.documentElement.dataset.theme = 'dark'))
  await shoot(ada.page, 'conversation-dark')

  await ada.page.goto(`/c/${group}/details`)
  await expect(ada.page.getByRole('button', { name: 'Actions for Noor Haddad' })).toBeVisible()
  await shoot(ada.page, 'details-light')
  await ada.page.goto('/settings')
  await expect(ada.page.getByText('This device')).toBeVisible()
  await shoot(ada.page, 'settings-light')
  await ada.page.goto('/')
  await expect(ada.page.getByText('Select a conversation')).toBeVisible()
  await ada.page.keyboard.press('Control+k')
  await expect(ada.page.getByRole('combobox', { name: 'Go anywhere' })).toBeFocused()
  await shoot(ada.page, 'palette-light')

  for (const scheme of ['light', 'dark'] as const) {
    const phone = await browser.newContext({ ...PHONE, colorScheme: scheme })
    const page = await phone.newPage()
    await page.goto('/register')
    await expect(page.getByRole('heading', { name: 'Create your account' })).toBeVisible()
    await shoot(page, `phone-register-${scheme}`)
    await signIn(page, ada)
    await page.goto('/')
    await expect(page.getByRole('link', { name: /Weekend in the hills/ })).toBeVisible()
    await expect(page.getByRole('img', { name: 'Online' }).nth(1)).toBeVisible()
    await shoot(page, `phone-list-${scheme}`)
    await page.getByRole('link', { name: /Weekend in the hills/ }).tap()
    await expect(page.getByText('Tea is on me.')).toBeVisible()
    await shoot(page, `phone-conversation-${scheme}`)
    await phone.close()
  }

  const tablet = await browser.newContext({ viewport: { width: 1024, height: 768 }, colorScheme: 'dark' })
  const page = await tablet.newPage()
  await page.goto('/sign-in')
  await expect(page.getByRole('heading', { name: 'Welcome back' })).toBeVisible()
  await shoot(page, 'sign-in-dark')
  await signIn(page, ada)
  await page.goto(`/c/${group}/details`)
  await expect(page.getByRole('button', { name: 'Actions for Noor Haddad' })).toBeVisible()
  await shoot(page, 'tablet-details-dark')
  await tablet.close()
})
