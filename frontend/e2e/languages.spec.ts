/** In every language: chosen by the browser or in the settings, right to left where it is, and nothing lost by a change. */
import type { Page } from '@playwright/test'
import { COLOURS, expectClean } from './clean'
import { expect, test, type User } from './users'

const ARABIC = { locale: 'ar-EG' } as const
const GERMAN = { locale: 'de-DE' } as const
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } as const

const documentOf = (page: Page): Promise<string[]> =>
  page.evaluate(() => [document.documentElement.lang, document.documentElement.dir])

/** Neither the page nor what is in it is wider than the window. */
async function expectNoOverflow(page: Page, what: string): Promise<void> {
  const wide = await page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement
    return scrollWidth > clientWidth ? [`${String(scrollWidth)} in ${String(clientWidth)}`] : []
  })
  expect(wide, what).toEqual([])
  // No button cuts its own words off.
  const clipped = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('button, a[href], label')]
      .filter((one) => one.checkVisibility() && getComputedStyle(one).overflow === 'visible')
      .filter((one) => one.clientWidth > 1 && one.scrollWidth > one.clientWidth + 1)
      .filter((one) => one.innerText.trim() !== '')
      .map((one) => one.outerHTML),
  )
  expect(clipped, what).toEqual([])
}

const latinIn = (page: Page, selector: string): Promise<string[]> =>
  page
    .locator(selector)
    .allInnerTexts()
    .then((all) => all.flatMap((text) => text.match(/[A-Za-z]{2,}/g) ?? []))

test('the browser chooses, before anything is shown', async ({ browser }) => {
  for (const [locale, language, dir, title] of [
    ['de-AT', 'de', 'ltr', 'Willkommen zurück'],
    ['ar', 'ar', 'rtl', 'مرحبًا بعودتك'],
    ['fr-FR', 'en', 'ltr', 'Welcome back'],
  ] as const) {
    const context = await browser.newContext({ locale })
    const page = await context.newPage()
    const loaded: string[] = []
    page.on('response', (response) => loaded.push(new URL(response.url()).pathname))
    // Whatever is painted is in the language from the first time on.
    await page.addInitScript(() => {
      const shown: string[] = []
      Object.assign(window, { shown })
      new MutationObserver(() => {
        const text = document.querySelector('h1')?.textContent
        if (text !== undefined && text !== shown.at(-1)) shown.push(text)
      }).observe(document, { childList: true, subtree: true, characterData: true })
    })
    await page.goto('/sign-in')
    await expect(page.getByRole('heading', { name: title })).toBeVisible()
    expect(await documentOf(page)).toEqual([language, dir])
    expect(await page.evaluate(() => (window as unknown as { shown: string[] }).shown)).toEqual([title])
    // Of the texts only those of one language are fetched: two files.
    expect(loaded.filter((path) => /\/(?:lazyTexts|texts)-/.test(path))).toHaveLength(2)
    await context.close()
  }
})

test('another language is chosen in the settings, and a draft, the place and the focus stay', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada', { locale: 'en-GB' })
  const ben = await absent('Ben')
  const id = await ada.group('Team', [ben])
  for (let n = 1; n <= 12; n += 1) await ben.post(id, `Line ${String(n)}.\nmore\nmore\nmore\nend`)
  await ada.visit(id)
  const { page } = ada
  // Somewhere in the middle, where nothing leads by itself.
  const place = page.getByRole('log').getByText('Line 7.')
  await place.scrollIntoViewIfNeeded()
  await expect(place).toBeInViewport()
  const placeOf = async (): Promise<number> => Math.round((await place.boundingBox())?.y ?? NaN)
  const before = await placeOf()
  await ada.composer.fill('half a tho')
  const other = await ada.context.newPage()
  await other.goto('/settings')
  const choice = other.getByRole('combobox', { name: 'Language' })
  await expect(choice).toHaveValue('browser')
  await choice.focus()
  await choice.selectOption('de')
  await expect(other.getByRole('heading', { name: 'Darstellung' })).toBeVisible()
  await expect(other.getByRole('combobox', { name: 'Sprache' })).toBeFocused()
  // The other tab follows, and what one was doing there goes on.
  await expect(page.getByRole('textbox', { name: 'Nachricht an Team' })).toHaveValue('half a tho')
  await expect(page.getByRole('textbox', { name: 'Nachricht an Team' })).toBeFocused()
  await expect(place).toBeInViewport()
  expect(Math.abs((await placeOf()) - before)).toBeLessThan(5)
  expect(await documentOf(page)).toEqual(['de', 'ltr'])
  await page.keyboard.type('ught')
  await other.getByRole('combobox', { name: 'Sprache' }).selectOption('ar')
  await expect(page.getByRole('textbox', { name: 'رسالة إلى ' })).toHaveValue('half a thought')
  expect(await documentOf(page)).toEqual(['ar', 'rtl'])
  await page.reload()
  await expect(page.getByRole('textbox', { name: 'رسالة إلى ' })).toHaveValue('half a thought')
  await other.getByRole('combobox', { name: 'اللغة' }).selectOption('browser')
  await expect(page.getByRole('textbox', { name: 'Message Team' })).toHaveValue('half a thought')
})

test('one in Arabic and one in German write, answer in a thread and search', async ({ user }) => {
  const noor = await user('Noor', ARABIC)
  const ben = await user('Ben', GERMAN)
  const { id } = await noor.call<{ id: string }>('POST', '/v1/conversations', {
    type: 'group',
    title: 'Ausflug (2026)',
    member_ids: [ben.id],
    system_messages: true,
  })
  await noor.visit(id)
  await ben.visit(id)
  // What the group says is in each one's own words.
  const createdIn = ({ page }: User) => page.getByRole('log').locator('[data-event="created"]')
  await expect(createdIn(ben)).toContainText('Noor hat die Gruppe erstellt')
  await expect(createdIn(noor)).toContainText('أنشأتَ المجموعة')
  const german = ben.page.getByRole('textbox', { name: /^Nachricht an/ })
  const arabic = noor.page.getByRole('textbox', { name: /^رسالة إلى/ })
  await german.pressSequentially('Hal')
  await expect(noor.page.getByText('يكتب الآن').first()).toBeVisible()
  await german.fill('Hallo zusammen!')
  await german.press('Enter')
  await arabic.fill('مرحبًا، كيف الحال؟')
  await arabic.press('Enter')
  const said = ben.page.getByText('مرحبًا، كيف الحال؟', { exact: true }).last()
  await expect(said).toBeVisible()
  // Each message begins at the side of its own text's direction, whatever that of the page.
  const sideOf = (page: Page, text: string): Promise<string[]> =>
    page
      .getByRole('log')
      .getByText(text, { exact: true })
      .evaluate((one) => {
        const range = document.createRange()
        range.selectNodeContents(one)
        const [words, box] = [range.getBoundingClientRect(), one.getBoundingClientRect()]
        return [
          ...(words.left - box.left < 2 ? ['left'] : []),
          ...(box.right - words.right < 2 ? ['right'] : []),
        ]
      })
  for (const { page } of [ben, noor]) {
    expect(await sideOf(page, 'مرحبًا، كيف الحال؟')).toEqual(['right'])
    expect(await sideOf(page, 'Hallo zusammen!')).toEqual(['left'])
  }
  await expect(noor.page.getByRole('log').getByText(/[٠-٩]/).first()).toBeVisible()

  const root = await ben.post(id, 'Wer kommt mit?')
  await ben.page.goto(`/c/${id}/thread/${root.id}`)
  const reply = ben.page.getByRole('textbox', { name: 'Im Thread antworten' })
  await reply.fill('Ich komme mit')
  await reply.press('Enter')
  await expect(noor.page.getByText('رد واحد')).toBeVisible()
  await noor.page.getByText('رد واحد').click()
  await expect(noor.page.getByRole('heading', { name: 'سلسلة الردود' })).toBeVisible()
  // The pane is at the end of the line: left.
  const pane = await noor.page.getByRole('heading', { name: 'سلسلة الردود' }).boundingBox()
  expect(pane?.x ?? Infinity).toBeLessThan(400)
  await noor.page.goto('/search?q=zusammen')
  await expect(noor.page.getByRole('main').getByText(/Hallo/).last()).toBeVisible()
  expect(await latinIn(noor.page, 'main h2, main label, main button')).not.toContain('Search')
})

for (const [name, options, rules] of [
  ['light', { colorScheme: 'light' }, undefined],
  ['dark', { colorScheme: 'dark' }, COLOURS],
  ['phone', PHONE, undefined],
] as const) {
  test(`right to left, axe finds nothing and nothing is wider than the window: ${name}`, async ({
    user,
    browser,
  }) => {
    test.setTimeout(300_000)
    const signedOut = await browser.newContext({ ...options, ...ARABIC })
    const entry = await signedOut.newPage()
    await entry.goto('/register')
    await expect(entry.getByRole('heading', { name: 'أنشئ حسابك' })).toBeVisible()
    const check: Check = async (page, view) => {
      await expectClean(page, view, rules)
      await expectNoOverflow(page, view)
    }
    await check(entry, 'register')
    await signedOut.close()
    const noor = await user('Noor', { ...options, ...ARABIC })
    const ben = await user('Ben')
    await look(noor, ben, check, {
      details: 'الأعضاء',
      settings: 'هذا الجهاز',
      palette: 'الانتقال إلى أي مكان',
    })
    expect(await latinIn(noor.page, 'h2, h3')).toEqual([])
  })
}

// Axe looks at the same elements and colours in English.
for (const [name, options] of [
  ['wide', {}],
  ['phone', PHONE],
] as const) {
  test(`German words fit: ${name}`, async ({ user, browser }) => {
    test.setTimeout(300_000)
    const signedOut = await browser.newContext({ ...options, ...GERMAN })
    const entry = await signedOut.newPage()
    await entry.goto('/register')
    await expect(entry.getByRole('heading', { name: 'Erstell dein Konto' })).toBeVisible()
    await expectNoOverflow(entry, 'register')
    await signedOut.close()
    const ada = await user('Ada', { ...options, ...GERMAN })
    const ben = await user('Ben')
    await look(ada, ben, expectNoOverflow, {
      details: 'Mitglieder',
      settings: 'Dieses Gerät',
      palette: 'Überallhin springen',
    })
  })
}

interface Words {
  details: string
  settings: string
  palette: string
}

type Check = (page: Page, view: string) => Promise<void>

/** The main views, one after the other. */
async function look(user: User, ben: User, check: Check, words: Words): Promise<void> {
  const { page } = user
  await check(page, 'first contact')
  const id = await user.group('رحلة (2026) trip', [ben])
  const root = await ben.post(id, 'See https://example.org and `code`\n```\nblock\n```')
  await ben.post(id, 'مرحبًا بالجميع!')
  await user.call('POST', `/v1/conversations/${id}/messages`, {
    client_message_id: 'a-reply',
    body: 'In the thread',
    thread_id: root.id,
  })
  await page.goto(`/c/${id}`)
  await expect(page.getByText('مرحبًا بالجميع!', { exact: true }).last()).toBeVisible()
  await check(page, 'conversation')
  await page.goto(`/c/${id}/thread/${root.id}`)
  await expect(page.getByText('In the thread').last()).toBeVisible()
  await check(page, 'thread')
  await page.goto(`/c/${id}/details`)
  await expect(page.getByRole('heading', { name: words.details })).toBeVisible()
  await check(page, 'details')
  await page.goto(`/c/${id}/settings`)
  await expect(page.getByRole('textbox').first()).toBeVisible()
  await check(page, 'group settings')
  await page.goto('/search?q=code')
  await expect(
    page.getByRole('main').getByRole('searchbox').or(page.getByRole('main').getByRole('textbox')).first(),
  ).toBeVisible()
  await check(page, 'search')
  await page.goto('/settings')
  await expect(page.getByText(words.settings)).toBeVisible()
  await check(page, 'settings')
  await page.keyboard.press('Control+k')
  await expect(page.getByRole('dialog', { name: words.palette })).toBeVisible()
  await check(page, 'palette')
  await page.keyboard.press('Escape')
  await page.goto('/')
  await expect(page.locator(`nav a[href="/c/${id}"]`)).toBeVisible()
  await check(page, 'list')
}

test('in Arabic the arrow keys follow the direction', async ({ user }) => {
  const noor = await user('Noor', ARABIC)
  const { page } = noor
  const edge = page.getByRole('separator', { name: 'عرض قائمة المحادثات' })
  const width = async (): Promise<number> => Number(await edge.getAttribute('aria-valuenow'))
  const before = await width()
  await edge.focus()
  await page.keyboard.press('ArrowLeft')
  await expect.poll(width).toBe(before + 20)
  // The list is at the beginning of the line: right.
  expect((await edge.boundingBox())?.x ?? 0).toBeGreaterThan(640)
})
