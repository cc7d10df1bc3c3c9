/** The pictures of the README: `npm run pictures` writes them, on a system that has no users yet. */
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
  const ada = await user('Ada Lovelace', { viewport: { width: 1440, height: 900 } }, 'ada')
  const ben = await user('Ben Okri', {}, 'ben')
  const grace = await user('Grace Hopper', {}, 'grace')
  const lin = await user('Lin Zhao', {}, 'lin')
  const noor = await user('Noor Haddad', {}, 'noor')
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

/** A landscape, so that what is shown as a picture looks like one. */
async function landscape(page: Page): Promise<Buffer> {
  const url = await page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 1200, height: 800 })
    const draw = canvas.getContext('2d')
    if (draw === null) throw new Error('There is no canvas here.')
    const sky = draw.createLinearGradient(0, 0, 0, 800)
    for (const [at, colour] of [
      [0, '#f7c59f'],
      [0.5, '#efa7a7'],
      [1, '#8fa6cb'],
    ] as const)
      sky.addColorStop(at, colour)
    draw.fillStyle = sky
    draw.fillRect(0, 0, 1200, 800)
    for (const [layer, colour] of ['#6b7fa8', '#4b5f8a', '#2f4168', '#1b2947'].entries()) {
      draw.fillStyle = colour
      draw.beginPath()
      draw.moveTo(0, 800)
      for (let x = 0; x <= 1200; x += 10) {
        const height = 90 * Math.sin(x / (170 - 20 * layer) + 2 * layer) + 40 * Math.sin(x / 61 + layer)
        draw.lineTo(x, 420 + 95 * layer - height)
      }
      draw.lineTo(1200, 800)
      draw.fill()
    }
    return canvas.toDataURL('image/png')
  })
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')
}

test('pictures of what a team uses', async ({ user }) => {
  test.setTimeout(300_000)
  const wide = { viewport: { width: 1440, height: 900 } }
  const ada = await user('Ada Lovelace', wide, 'ada.lovelace')
  const ben = await user('Ben Okri', {}, 'ben.okri')
  const grace = await user('Grace Hopper', {}, 'grace.hopper')
  const noor = await user('Noor Haddad', { ...wide, locale: 'ar-EG' }, 'noor.haddad')
  const group = await ada.group('Weekend in the hills', [ben, grace, noor])
  await ben.group('Release 2.4', [ada, grace])
  await grace.directWith(ada)
  for (const other of [ben, grace]) await other.open(group)
  const route = await ben.post(
    group,
    '**Saturday**\n\n| from | to | km |\n|---|---|--:|\n| station | hut | 12 |\n| hut | ridge | 4 |',
  )
  await ben.call('PUT', `/v1/conversations/${group}/messages/${route.id}/pin`)
  await grace.post(
    group,
    `@${ada.account.username} do you still have the map? ~~The old one~~ The one of 1998.`,
  )
  await ada.open(group)
  await ada.page
    .locator('[data-attach]')
    .setInputFiles({ name: 'ridge.png', mimeType: 'image/png', buffer: await landscape(ada.page) })
  await expect(ada.page.locator('[data-upload="ready"]')).toHaveCount(1)
  await ada.say('From the ridge, last year. The map is in the second drawer.')
  for (const [who, emoji] of [
    [ben, '😍'],
    [grace, '😍'],
    [grace, '😮'],
  ] as const) {
    const [last] = (
      await who.call<{ items: { id: string }[] }>('GET', `/v1/conversations/${group}/messages?limit=1`)
    ).items
    await who.call(
      'PUT',
      `/v1/conversations/${group}/messages/${last?.id ?? ''}/reactions/${encodeURIComponent(emoji)}`,
    )
  }
  for (const [who, body] of [
    [grace, 'How long is the last part?'],
    [ben, 'An hour and a half, with stops.'],
    [ada, 'Then we are there before it gets dark.'],
  ] as const)
    await who.call('POST', `/v1/conversations/${group}/messages`, {
      client_message_id: body.replaceAll(/\W/g, '-'),
      thread_id: route.id,
      body,
    })
  await ada.page.goto(`/c/${group}/thread/${route.id}`)
  await expect(
    ada.page.getByRole('complementary', { name: 'Thread' }).getByText('before it gets dark'),
  ).toBeVisible()
  await expect(ada.page.locator('button img[src^="blob:"]').first()).toBeVisible()
  await shoot(ada.page, 'thread-light')
  await ada.page.goto('/search?q=map')
  await expect(ada.page.getByText('second drawer')).toBeVisible()
  await shoot(ada.page, 'search-light')
  await noor.page.goto(`/c/${group}`)
  await expect(noor.page.locator('button img[src^="blob:"]').first()).toBeVisible()
  await shoot(noor.page, 'conversation-arabic')
})
