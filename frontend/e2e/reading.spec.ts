/** What one reads stays where it is: while older pages come over a slow line, and while the space for it shrinks. */
import type { APIRequestContext } from '@playwright/test'
import type { Message } from '@synctalk/client/contracts'
import { createAccount, expect, postAs, test, type Account, type User } from './users'

/** So many messages one user may send at once. */
const BURST = 20
const DAY_MS = 86_400_000

const line = (n: number): string => `line ${String(n)}. ${'words '.repeat((n * 7) % 50)}`

/** A group with so many messages, each of the writers within what one user may send at once. */
async function groupWith(owner: User, request: APIRequestContext, count: number): Promise<string> {
  const names = Array.from({ length: Math.ceil(count / BURST) }, (_, n) => `Writer ${String(n)}`)
  const writers: Account[] = await Promise.all(names.map((name) => createAccount(request, name)))
  const id = await owner.group(
    'Long',
    writers.map(({ tokens }) => tokens.user),
  )
  for (let n = 1; n <= count; n += 1) {
    const writer = writers[Math.floor((n - 1) / 3) % writers.length]
    if (writer !== undefined) await postAs(request, writer, id, line(n))
  }
  await owner.call('POST', `/v1/conversations/${id}/read`, { seq: count })
  return id
}

/** The history as if written over days, sixty messages a day; an older page comes only when it is let through. */
async function slowDays({ page }: User) {
  const waiting: (() => void)[] = []
  let asked = 0
  await page.route('**/v1/conversations/*/messages?*', async (route) => {
    const answer = await route.fetch()
    const { items, ...rest } = (await answer.json()) as { items: Message[] }
    const dated = items.map((message) => ({ ...message, created_at: dated60(message.seq) }))
    if (route.request().url().includes('before_seq')) {
      asked += 1
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
    await route.fulfill({ response: answer, json: { ...rest, items: dated } })
  })
  return { asked: () => asked, letThrough: () => waiting.shift()?.() }
}

const dated60 = (seq: number): string =>
  new Date(Date.now() - (4 - Math.floor(seq / 60)) * DAY_MS + seq).toISOString()

/** Where this message stands, once the page is at rest. */
const topOf = (reader: User, n: number): Promise<number> =>
  reader.message(`line ${String(n)}.`).evaluate(async (row) => {
    let top = NaN
    for (let same = 0; same < 10;) {
      await new Promise((resolve) => requestAnimationFrame(resolve))
      const now = row.getBoundingClientRect().top
      same = now === top ? same + 1 : 0
      top = now
    }
    return top
  })

test('scrolled to the top before the older page has loaded: the position is kept, and one page is loaded', async ({
  user,
  request,
}) => {
  const ada = await user('Ada')
  const id = await groupWith(ada, request, 171)
  const pages = await slowDays(ada)
  await ada.page.goto('/')
  await ada.open(id)
  await expect(ada.message('line 171.')).toBeInViewport()
  await ada.history.hover()
  const top = () => ada.history.evaluate((log) => log.scrollTop)

  // The newest page begins with 122, the one before it with 22; both lie within a day.
  for (const first of [122, 22]) {
    const asked = pages.asked()
    await expect(async () => {
      await ada.page.mouse.wheel(0, -3_000)
      expect(await top()).toBe(0)
    }).toPass()
    const before = await topOf(ada, first)
    expect(pages.asked()).toBe(asked + 1)
    pages.letThrough()
    await expect.poll(top).toBeGreaterThan(0)
    expect(Math.abs((await topOf(ada, first)) - before)).toBeLessThanOrEqual(2)
    expect(pages.asked()).toBe(asked + 1)
  }
  await ada.page.mouse.wheel(0, -3_000)
  await expect(ada.page.getByText('This is the beginning of “Long”.')).toBeVisible()
  await expect(ada.message('line 1.')).toBeInViewport()
})

test('the view shrinks: at the end the newest message stays in view; further up the lower edge stays', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada', { viewport: { width: 390, height: 844 } })
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  for (let n = 1; n <= 18; n += 1) await ben.post(id, line(n))
  await ada.call('POST', `/v1/conversations/${id}/read`, { seq: 18 })
  await ada.open(id)
  await expect(ada.message('line 18.')).toBeInViewport({ ratio: 1 })

  // As a phone's keyboard does.
  await ada.page.setViewportSize({ width: 390, height: 500 })
  await expect(ada.message('line 18.')).toBeInViewport({ ratio: 1 })
  await ada.composer.fill('one\ntwo\nthree\nfour\nfive\nsix')
  await expect(ada.message('line 18.')).toBeInViewport({ ratio: 1 })
  for (let n = 19; n <= 21; n += 1) await ben.post(id, line(n))
  await expect(ada.message('line 21.')).toBeInViewport({ ratio: 1 })
  await expect(ada.page.getByRole('button', { name: /Jump to the newest/ })).toHaveCount(0)

  await ada.history.evaluate((log) => (log.scrollTop -= 300))
  const bottom = () => ada.history.evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight)
  const before = await bottom()
  expect(before).toBeGreaterThan(200)
  await ada.page.setViewportSize({ width: 390, height: 700 })
  await expect.poll(bottom).toBe(before)
})
