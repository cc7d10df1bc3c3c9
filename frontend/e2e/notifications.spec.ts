import { expect, look, test } from './people'

declare global {
  interface Window {
    shown: { title: string; body: string; click: () => void }[]
  }
}

test('unread shows in the title and the icon, and goes when read', async ({ person }) => {
  const ada = await person('Ada')
  const ben = await person('Ben')
  const id = await ada.directWith(ben)
  await ada.post(id, 'one')
  await ada.post(id, 'two')
  await expect(ben.page).toHaveTitle('(2) SyncTalk')
  await expect(ben.page.locator('link[rel="icon"]')).toHaveAttribute('href', '/icon-unread.svg')
  await ben.open(id)
  await expect(ben.page).toHaveTitle('SyncTalk')
  await expect(ben.page.locator('link[rel="icon"]')).toHaveAttribute('href', '/icon.svg')
})

test('asked when the first message comes; then a message while hidden is shown, and a click opens it', async ({
  person,
}) => {
  const ada = await person('Ada')
  const ben = await person('Ben')
  // What the browser would show is kept instead: its notifications are not ours, and a headless one shows none.
  await ben.context.addInitScript(() => {
    window.shown = []
    class Kept {
      static permission: NotificationPermission = 'default'
      static requestPermission(): Promise<NotificationPermission> {
        Kept.permission = 'granted'
        return Promise.resolve('granted')
      }
      onclick: (() => void) | null = null
      constructor(title: string, options: NotificationOptions = {}) {
        window.shown.push({ title, body: options.body ?? '', click: () => this.onclick?.() })
      }
      close(): void {
        return
      }
    }
    Object.defineProperty(window, 'Notification', { value: Kept })
  })
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
  expect(await ben.page.evaluate(() => window.shown)).toEqual([{ title: 'Ada', body: 'while you are away' }])
  await look(ben.page, true)
  await ben.page.evaluate(() => window.shown[0]?.click())
  await expect(ben.message('while you are away')).toBeVisible()
})
