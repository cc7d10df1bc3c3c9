import { expect, look, test } from './users'
import type { BrowserContext, Page, WebSocketRoute } from '@playwright/test'

declare global {
  interface Window {
    shown: { title: string; body: string; closed: boolean; click: () => void }[]
  }
}

/** What the browser would show is kept instead: its notifications are not ours, and a headless one shows none. */
async function keepNotifications(context: BrowserContext, permission: NotificationPermission): Promise<void> {
  await context.addInitScript((given) => {
    window.shown = []
    class Kept {
      static permission: NotificationPermission = given
      static requestPermission(): Promise<NotificationPermission> {
        Kept.permission = 'granted'
        return Promise.resolve('granted')
      }
      onclick: (() => void) | null = null
      private readonly kept: Window['shown'][number]
      constructor(title: string, options: NotificationOptions = {}) {
        this.kept = { title, body: options.body ?? '', closed: false, click: () => this.onclick?.() }
        window.shown.push(this.kept)
      }
      close(): void {
        this.kept.closed = true
      }
    }
    Object.defineProperty(window, 'Notification', { value: Kept })
    // An empty page, before any is loaded, has no storage.
    if (given === 'granted' && location.protocol !== 'about:')
      localStorage.setItem('synctalk.notifications', 'on')
  }, permission)
}

const shownOn = (page: Page) =>
  page.evaluate(() => window.shown.map(({ title, body, closed }) => ({ title, body, closed })))

test('the title and the icon show the unread count, until it is read', async ({ user, absent }) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.post(id, 'one')
  await ada.post(id, 'two')
  await expect(ben.page).toHaveTitle('(2) SyncTalk')
  await expect(ben.page.locator('link[rel="icon"]')).toHaveAttribute('href', '/icon-unread.svg')
  await ben.open(id)
  await expect(ben.page).toHaveTitle('Ada · SyncTalk')
  await expect(ben.page.locator('link[rel="icon"]')).toHaveAttribute('href', '/icon.svg')
})

test('permission is requested at the first message; later a hidden page shows notifications, and a click opens the message', async ({
  user,
  absent,
}) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  await keepNotifications(ben.context, 'default')
  await ben.page.reload()
  await expect(ben.page.getByText('No conversations yet').first()).toBeVisible()
  await expect(ben.page.getByRole('button', { name: 'Turn on' })).toHaveCount(0)
  const id = await ada.directWith(ben)
  await ada.post(id, 'the first one')
  await ben.page.getByRole('button', { name: 'Turn on' }).click()
  await expect(ben.page.getByRole('button', { name: 'Turn on' })).toHaveCount(0)

  await ada.post(id, 'while you look')
  await expect(ben.row('Ada')).toContainText('while you look')
  expect(await ben.page.evaluate(() => window.shown)).toEqual([])
  await look(ben.page, false)
  await ada.post(id, 'while you are away')
  await expect(ben.row('Ada')).toContainText('while you are away')
  expect(await shownOn(ben.page)).toEqual([{ title: 'Ada', body: 'while you are away', closed: false }])
  await look(ben.page, true)
  await ben.page.evaluate(() => window.shown[0]?.click())
  await expect(ben.message('while you are away')).toBeVisible()
})

test('a muted conversation is neither notified nor counted; its mentions are, where the level says so', async ({
  user,
  absent,
}) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const quiet = await ada.group('Quiet', [ben])
  const mentions = await ada.group('Mentions', [ben])
  const muted = await ada.group('Muted', [ben])
  const loud = await ada.group('Loud', [ben])
  const put = (id: string, settings: object) => ben.call('PUT', `/v1/notification-settings/${id}`, settings)
  await put(quiet, { level: 'none' })
  await put(mentions, { level: 'mentions' })
  await put(muted, { level: 'all', muted_until: new Date(Date.now() + 3_600_000).toISOString() })
  await keepNotifications(ben.context, 'granted')
  await ben.page.reload()
  await expect(ben.row('Loud')).toBeVisible()
  await look(ben.page, false)
  for (const id of [quiet, mentions, muted]) await ada.post(id, 'not for you')
  await ada.post(mentions, `for you, @${ben.account.username}`)
  await ada.post(loud, 'for all')
  // Two conversations have no order between them.
  await expect
    .poll(async () => (await shownOn(ben.page)).map((notification) => notification.body).sort())
    .toEqual(['for all', `for you, @${ben.account.username}`])
  await expect(ben.page).toHaveTitle('(2) SyncTalk')
})

test('one of two tabs notifies, and withdraws it when the message is read elsewhere', async ({
  user,
  absent,
}) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.post(id, 'the first one')
  await keepNotifications(ben.context, 'granted')
  const second = await ben.context.newPage()
  await second.goto('/')
  await ben.page.reload()
  for (const page of [ben.page, second]) {
    await expect(page.getByRole('navigation')).toContainText('the first one')
    await look(page, false)
  }
  await ada.post(id, 'once')
  for (const page of [ben.page, second]) await expect(page.getByRole('navigation')).toContainText('once')
  const all = async () => [...(await shownOn(ben.page)), ...(await shownOn(second))]
  await expect.poll(all).toEqual([{ title: 'Ada', body: 'once', closed: false }])
  const { items } = await ben.call<{ items: { id: string; last_seq: number }[] }>('GET', '/v1/conversations')
  await ben.call('POST', `/v1/conversations/${id}/read`, {
    seq: items.find((one) => one.id === id)?.last_seq,
  })
  await expect.poll(all).toEqual([{ title: 'Ada', body: 'once', closed: true }])
})

test('the notification level is chosen in the details and holds on all devices', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.group('Group', [ben])
  await ada.page.goto(`/c/${id}/details`)
  await ada.page.getByRole('button', { name: 'Notifications: All messages' }).click()
  await ada.page.getByRole('menuitemradio', { name: 'Mentions only' }).click()
  await expect(ada.page.getByRole('button', { name: 'Notifications: Mentions only' })).toBeVisible()
  await expect
    .poll(() => ada.call('GET', `/v1/notification-settings/${id}`))
    .toMatchObject({ level: 'mentions' })
})

test('a new display name appears at once, everywhere, and in one’s own other tabs', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.post(id, 'hello')
  const lines: WebSocketRoute[] = []
  await ben.page.routeWebSocket(/socket\.io/, (line) => {
    line.connectToServer()
    lines.push(line)
  })
  await ben.visit(id)
  await expect(ben.page.locator('#main header')).toContainText('Online')
  // What the server says to who shares a conversation with them, and to themselves.
  for (const { account, name } of [
    { account: ada.account, name: 'Ada King' },
    { account: ben.account, name: 'Ben Nevis' },
  ]) {
    const user = { ...account.tokens.user, display_name: name }
    lines.at(-1)?.send(`42${JSON.stringify(['user:updated', user])}`)
  }
  await expect(ben.row('Ada King')).toBeVisible()
  await expect(ben.page.getByRole('heading', { name: 'Ada King' })).toBeVisible()
  await expect(ben.history.getByText('Ada King').first()).toBeVisible()
  await expect(ben.page).toHaveTitle('Ada King · SyncTalk')
  await expect(ben.page.getByRole('button', { name: /Ben Nevis/ })).toBeVisible()
})
