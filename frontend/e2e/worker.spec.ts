import { expect, look, test, type User } from './users'
import { allowNotifications, PushedTo, Subscription } from './webPush'

test.use({ serviceWorkers: 'allow' })

const devicesOf = (user: User) =>
  user
    .call<{ items: { device_id: string; platform: string }[] }>('GET', '/v1/devices')
    .then(({ items }) => items)

const push = (conversation_id: string, seq: number, text: string, type = 'message') =>
  JSON.stringify({
    data: {
      type,
      conversation_id,
      message_id: '01890000-0000-7000-8000-000000000001',
      seq: String(seq),
      badge: '1',
      sender_name: 'Ada',
      title: '',
      text,
      thread_id: '',
    },
    notification: type === 'retract' ? null : { title: 'Ada', body: text },
  })

test('a closed page is pushed to: the worker shows the message, and withdraws it when it is read elsewhere', async ({
  user,
  absent,
  baseURL,
}) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  const subscription = new Subscription(ben)
  await subscription.install(ben.context, baseURL ?? '')
  await allowNotifications(ben.context)
  await ben.page.reload()
  await expect.poll(async () => (await devicesOf(ben)).map(({ platform }) => platform)).toEqual(['web'])
  const browser = await PushedTo.of(ben.page)
  // In another language the device is registered anew: the server writes its texts in it.
  await ben.page.goto('/settings')
  const registered = ben.page.waitForRequest(
    (request) =>
      request.method() === 'PUT' &&
      /\/v1\/devices\/web-/.test(request.url()) &&
      (request.postDataJSON() as { locale: string }).locale === 'de',
  )
  await ben.page.getByRole('combobox', { name: 'Language' }).selectOption('de')
  expect((await registered).postDataJSON()).toMatchObject({ platform: 'web' })
  await expect.poll(() => devicesOf(ben)).toHaveLength(1)
  // The client is closed; its worker is not.
  await ben.page.goto('/icon.svg')
  const { seq } = await ada.post(id, 'to a closed page')
  await browser.deliver(await subscription.received(1))
  await expect.poll(() => browser.shown()).toEqual([{ title: 'Ada', body: 'to a closed page', tag: id }])
  await ben.call('POST', `/v1/conversations/${id}/read`, { seq })
  await browser.deliver(await subscription.received(2))
  await expect.poll(() => browser.shown()).toEqual([])
  await ben.call('PUT', '/v1/notification-settings', { content: 'none' })
  await ada.post(id, 'not to be shown')
  const unnamed = await subscription.received(3)
  await browser.deliver(unnamed)
  const german = [{ title: 'SyncTalk', body: 'Neue Nachricht', tag: id }]
  await expect.poll(() => browser.shown()).toEqual(german)
  // Where a server says nothing, the worker does, in the language of the page.
  const { data } = JSON.parse(unnamed) as { data: { seq: string } }
  const later = { data: { ...data, seq: String(Number(data.seq) + 1) }, notification: null }
  await browser.deliver(push(id, Number(data.seq), '', 'retract'))
  await expect.poll(() => browser.shown()).toEqual([])
  await browser.deliver(JSON.stringify(later))
  await expect.poll(() => browser.shown()).toEqual(german)
})

test('the newest of a conversation is shown, not what is being read; a click opens it in the tab that is there', async ({
  user,
  absent,
  baseURL,
}) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  const other = await ada.group('Other', [ben])
  await ben.visit(id)
  await new Subscription(ben).install(ben.context, baseURL ?? '')
  await allowNotifications(ben.context)
  await ben.page.reload()
  await expect.poll(() => devicesOf(ben)).toHaveLength(1)
  const browser = await PushedTo.of(ben.page)
  await browser.deliver(push(id, 1, 'being read'))
  await browser.deliver(push(other, 3, 'first'))
  await expect.poll(() => browser.shown()).toEqual([{ title: 'Ada', body: 'first', tag: other }])
  await browser.deliver(push(other, 4, 'second'))
  await expect.poll(() => browser.shown()).toEqual([{ title: 'Ada', body: 'second', tag: other }])
  await browser.deliver(push(other, 3, '', 'retract'))
  await browser.deliver(push(other, 3, 'first'))
  await browser.click()
  await expect(ben.page).toHaveURL(`/c/${other}`)
  await expect.poll(() => browser.shown()).toEqual([])
})

test('an open page and its worker show one notification, and signing out removes the device', async ({
  user,
  absent,
  baseURL,
}) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await new Subscription(ben).install(ben.context, baseURL ?? '')
  await allowNotifications(ben.context)
  await ben.page.reload()
  const browser = await PushedTo.of(ben.page)
  await expect.poll(() => devicesOf(ben)).toHaveLength(1)
  await expect(ben.row('Ada')).toBeVisible()
  await look(ben.page, false)
  const { seq } = await ada.post(id, 'once')
  await expect.poll(() => browser.shown()).toEqual([{ title: 'Ada', body: 'once', tag: id }])
  await browser.deliver(push(id, seq, 'once, by push'))
  await browser.deliver(push(id, seq + 1, 'the next'))
  await expect.poll(() => browser.shown()).toEqual([{ title: 'Ada', body: 'the next', tag: id }])
  await look(ben.page, true)
  const gone = ben.page.waitForResponse(
    (answer) => answer.request().method() === 'DELETE' && /\/v1\/devices\/web-/.test(answer.url()),
  )
  await ben.page.getByRole('button', { name: 'Your account and status' }).click()
  await ben.page.getByRole('menuitem', { name: 'Sign out' }).click()
  expect((await gone).status()).toBe(204)
  await expect(ben.page.getByRole('button', { name: 'Sign in' })).toBeVisible()
  await expect.poll(() => browser.shown()).toEqual([])
  expect(await ben.page.evaluate(() => localStorage.getItem('test.subscribed'))).toBeNull()
})

test('without a network the client opens with what was read last, and goes on from there', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ben.post(id, 'read before')
  await ada.open(id)
  await expect(ada.message('read before')).toBeVisible()
  await ada.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
  await expect.poll(() => ada.page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true)
  await expect.poll(() => ada.page.evaluate(seenMessages)).toContain('read before')
  await ada.context.setOffline(true)
  await ada.page.goto(`/c/${id}`)
  await expect(ada.message('read before')).toBeVisible()
  await expect(ada.row('Ben')).toBeVisible()
  const kept = await ada.page.evaluate(async () => {
    const requests = await Promise.all(
      (await caches.keys()).map(async (name) => (await caches.open(name)).keys()),
    )
    return requests.flat().map(({ url }) => new URL(url).pathname)
  })
  expect(kept).toContain('/')
  expect(kept.filter((path) => /^\/(v1|socket\.io|docs)/.test(path))).toEqual([])
  await ben.post(id, 'meanwhile')
  await ada.context.setOffline(false)
  await expect(ada.history.getByRole('article')).toHaveText([/read before/, /meanwhile/])
  await ada.page.getByRole('button', { name: 'Your account and status' }).click()
  await ada.page.getByRole('menuitem', { name: 'Sign out' }).click()
  await expect(ada.page.getByRole('button', { name: 'Sign in' })).toBeVisible()
  await expect
    .poll(() => ada.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name)))
    .not.toContain('synctalk.seen')
})

/** What the client keeps for when there is no network. */
function seenMessages(): Promise<string[]> {
  return new Promise((resolve) => {
    const opening = indexedDB.open('synctalk.seen')
    opening.onupgradeneeded = () => opening.transaction?.abort()
    opening.onerror = () => resolve([])
    opening.onsuccess = () => {
      const reading = opening.result.transaction('seen').objectStore('seen').get('last') as IDBRequest<
        { histories: { body: string }[][] } | undefined
      >
      reading.onsuccess = () => {
        opening.result.close()
        resolve((reading.result?.histories ?? []).flat().map(({ body }) => body))
      }
    }
  })
}
