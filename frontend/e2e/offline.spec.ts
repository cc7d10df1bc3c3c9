import type { Message, Receipt } from '@synctalk/client/contracts'
import { expect, test, type User } from './users'

/** What is stored, in order: the one truth that counts. */
async function storedBodies(user: User, id: string): Promise<string[]> {
  const { items } = await user.call<{ items: Message[] }>('GET', `/v1/conversations/${id}/messages?limit=100`)
  return items.map(({ body }) => body)
}

const words = (count: number, prefix = 'word'): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix} ${String(n + 1)}.`)

test('offline while sending: a banner says so, messages are queued and sent in order, exactly once', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  await ben.open(id)
  await ada.say('before')
  await ada.expectMark('before', 'read')
  await ada.context.setOffline(true)
  const banner = ada.page.getByText('You’re offline. Messages will be sent when you’re back.')
  await expect(banner).toBeVisible()
  for (const word of words(6)) await ada.say(word)
  await ada.expectMark('word 6.', 'sending')
  await ada.context.setOffline(false)
  await ada.expectMark('word 6.', 'read')
  await expect(banner).toHaveCount(0)
  await expect(ben.history.getByRole('article')).toHaveText([
    /before/,
    ...words(6).map((word) => new RegExp(word)),
  ])
  expect(await storedBodies(ada, id)).toEqual(['before', ...words(6)])
})

test('offline in the middle of a burst: nothing is lost, duplicated or reordered', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  const burst = words(15, 'burst')
  for (const [n, word] of burst.entries()) {
    await ada.say(word)
    if (n === 4 || n === 9) await ada.context.setOffline(true)
    if (n === 7 || n === 12) await ada.context.setOffline(false)
  }
  await ada.expectMark('burst 15.', 'sent')
  expect(await storedBodies(ada, id)).toEqual(burst)
})

test('written offline, page closed: sent when it is opened again, in order, exactly once', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  await ada.context.setOffline(true)
  for (const word of words(4)) await ada.say(word)
  await ada.expectMark('word 4.', 'sending')
  const session = await ada.context.storageState({ indexedDB: true })
  await ada.page.close()
  await ada.context.setOffline(false)
  expect(session.origins).toHaveLength(1)
  const page = await ada.context.newPage()
  await page.goto(`/c/${id}`)
  await expect(page.getByRole('log').getByRole('article')).toHaveText(
    words(4).map((word) => new RegExp(word)),
  )
  await expect(page.locator('[data-mark="sent"]')).toHaveCount(4)
  expect(await storedBodies(ada, id)).toEqual(words(4))
})

test('after an outage: missed messages, edits, deletions, members and the title are loaded', async ({
  user,
  absent,
}) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const eve = await absent('Eve')
  const id = await ada.group('Before', [ben])
  const kept = await ada.post(id, 'will be changed')
  const gone = await ada.post(id, 'will be deleted')
  await ben.page.goto(`/c/${id}/details`)
  await expect(ben.message('will be deleted')).toBeVisible()
  await ben.context.setOffline(true)
  await expect(ben.page.getByText(/You’re offline/)).toBeVisible()
  await ada.post(id, 'new meanwhile')
  await ada.call('PATCH', `/v1/conversations/${id}/messages/${kept.id}`, { body: 'was changed' })
  await ada.call('DELETE', `/v1/conversations/${id}/messages/${gone.id}`)
  await ada.call('POST', `/v1/conversations/${id}/members`, { user_ids: [eve.id] })
  await ada.call('PATCH', `/v1/conversations/${id}`, { title: 'After' })
  await ben.context.setOffline(false)
  await expect(ben.history.getByRole('article')).toHaveText([
    /was changed/,
    /Message deleted/,
    /new meanwhile/,
  ])
  await expect(ben.page.getByRole('heading', { name: 'After' })).toBeVisible()
  await expect(
    ben.page.getByRole('complementary').getByRole('listitem').filter({ hasText: 'Eve' }),
  ).toBeVisible()
})

test('what was read during an outage shows as read after it', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ben.open(id)
  await ben.say('for later')
  await ben.expectMark('for later', 'delivered')
  await ben.context.setOffline(true)
  await expect(ben.page.getByText(/You’re offline/)).toBeVisible()
  await ada.open(id)
  const marks = `/v1/conversations/${id}/receipts?seq=1`
  await expect
    .poll(() => ben.call<{ items: Receipt[] }>('GET', marks).then(({ items }) => items[0]?.read))
    .toBe(true)
  await ben.expectMark('for later', 'delivered')
  await ben.context.setOffline(false)
  await ben.expectMark('for later', 'read')
})

test('an outage does not move the view', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  for (const word of words(19, 'line')) await ada.post(id, `${word}\n\n\nend`)
  await ada.open(id)
  await expect(ada.message('line 19.')).toBeInViewport()
  await ada.history.evaluate((log) => (log.scrollTop = 300))
  const top = () => ada.history.evaluate((log) => log.scrollTop)
  const line = ada.history.getByRole('article').filter({ hasText: 'line 5.' })
  const before = await line.boundingBox()
  await ada.context.setOffline(true)
  await expect(ada.page.getByText(/You’re offline/)).toBeVisible()
  await ben.post(id, 'came meanwhile')
  await ada.context.setOffline(false)
  await expect(ada.page.getByText(/You’re offline/)).toHaveCount(0)
  await expect(ada.row('Ben')).toContainText('came meanwhile')
  expect(await line.boundingBox()).toEqual(before)
  expect(Math.abs((await top()) - 300)).toBeLessThanOrEqual(1)
})

test('a message that the server refuses shows an error, and can be sent again or discarded', async ({
  user,
  absent,
}) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const id = await ada.group('Soon without Ben', [ben])
  await ben.open(id)
  await ben.context.setOffline(true)
  await ben.say('too late')
  await ada.call('DELETE', `/v1/conversations/${id}/members/${ben.id}`)
  await ben.context.setOffline(false)
  await expect(ben.page.getByText('You’re no longer in “Soon without Ben”.')).toBeVisible()
  await ada.call('POST', `/v1/conversations/${id}/members`, { user_ids: [ben.id] })
  await ben.row('Soon without Ben').click()
  await expect(ben.page.getByText('Not sent. You’re no longer in this conversation.')).toBeVisible()
  await ben.page.getByRole('button', { name: 'Retry' }).click()
  await ben.expectMark('too late', 'sent')
})

test('offline just after opening: the page stays, and loads the rest once it is online', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ben.post(id, 'from before')
  // The history and the parts that are loaded later are kept back until the network is gone.
  const kept = ['**/assets/{Palette,NewConversation}-*.js', '**/v1/conversations/*/messages?*']
  for (const url of kept) await ada.page.route(url, (route) => route.abort('internetdisconnected'))
  await ada.visit(id)
  await ada.context.setOffline(true)
  await ada.page.keyboard.press('Control+k')
  await ada.say('still here')
  await ada.expectMark('still here', 'sending')
  await expect(ada.page.getByText('Messages could not be loaded.')).toHaveCount(0)
  for (const url of kept) await ada.page.unroute(url)
  await ada.context.setOffline(false)
  await expect(ada.message('from before')).toBeVisible()
  await expect(ada.page.getByRole('combobox', { name: 'Go anywhere' })).toBeVisible()
  await ada.page.keyboard.press('Escape')
  await ada.expectMark('still here', 'sent')
})

test('who took another name during a break has it everywhere afterwards', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ben.post(id, 'hello')
  await ada.open(id)
  await expect(ada.message('hello')).toContainText('Ben')
  await ada.context.setOffline(true)
  await expect(ada.page.getByText('You’re offline.')).toBeVisible()
  await ben.call('PATCH', '/v1/users/me', { display_name: 'Benedikt' })
  await ada.context.setOffline(false)
  await expect(ada.message('hello')).toContainText('Benedikt')
  await expect(ada.row('Benedikt')).toBeVisible()
})
