/** Previews of links: made by the server, from a page that stands here. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test as base, type User } from './users'

interface Site {
  url: string
  /** Lets through the pages that are asked for. */
  answer: () => void
}

/** A web site on this machine, whose pages have their paths as titles and come once they are let through. */
async function serveSite(): Promise<Site & { close: () => void }> {
  let answer = (): void => undefined
  const answered = new Promise<void>((resolve) => (answer = resolve))
  const server: Server = createServer((request, response) => {
    void answered.then(() => {
      response.setHeader('content-type', 'text/html; charset=utf-8')
      response.end(
        `<title>Page ${request.url ?? ''}</title><meta name="description" content="&lt;b&gt;What it says&lt;/b&gt;">
         <meta property="og:image" content="https://example.org/picture.png">`,
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${String(port)}`, answer, close: () => void server.close() }
}

const test = base.extend<{ site: Site }>({
  site: async ({}, use) => {
    const site = await serveSite()
    await use(site)
    site.close()
  },
})

const card = (reader: User, text: string) => reader.message(text).locator('[data-preview]')

test('a link gets a card with what its page says, for both, and can be put away', async ({ user, site }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  await ben.open(id)
  const asked: string[] = []
  ben.page.on('request', (request) => asked.push(request.url()))
  await ada.say(`look: ${site.url}/tides`)
  site.answer()

  for (const reader of [ada, ben]) {
    await expect(card(reader, 'look:')).toContainText('Page /tides')
    await expect(card(reader, 'look:')).toContainText('<b>What it says</b>')
    await expect(card(reader, 'look:')).toContainText(new URL(site.url).host)
    await expect(card(reader, 'look:')).toHaveAttribute('href', `${site.url}/tides`)
    await expect(card(reader, 'look:')).toHaveAttribute('rel', /noopener noreferrer/)
  }
  await expect(ben.message('look:').locator('img[src*="example.org"]')).toHaveCount(0)
  expect(asked.filter((url) => url.startsWith(site.url) || url.includes('example.org'))).toEqual([])
  await expect(ben.message('look:').getByText('(edited)')).toHaveCount(0)

  await ben.message('look:').getByRole('button', { name: 'Link preview' }).click()
  await expect(card(ben, 'look:')).toHaveCount(0)
  await ben.message('look:').getByRole('button', { name: 'Link preview' }).click()
  await expect(card(ben, 'look:')).toBeVisible()
})

test('an edit that takes the link takes the card', async ({ user, absent, site }) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ben.open(id)
  const message = await ada.post(id, `look: ${site.url}/tides`)
  site.answer()
  await expect(card(ben, 'look:')).toBeVisible()

  await ada.call('PATCH', `/v1/conversations/${id}/messages/${message.id}`, { body: 'look: nothing' })

  await expect(ben.message('look: nothing')).toBeVisible()
  await expect(card(ben, 'look:')).toHaveCount(0)
})

test('a card that comes above what one reads, or at the end, moves nothing that is read', async ({
  user,
  absent,
  site,
}) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.post(id, `look: ${site.url}/tides`)
  for (let n = 1; n <= 12; n += 1) await ben.post(id, `line ${String(n)}.\n\nand more of it`)
  await ben.call('POST', `/v1/conversations/${id}/read`, { seq: 13 })
  await ben.page.setViewportSize({ width: 1000, height: 420 })
  await ben.open(id)
  await expect(ben.message('line 12.')).toBeInViewport()
  await ben.history.hover()
  // The message with the link is in the list, and above what is in view.
  await expect(async () => {
    await ben.page.mouse.wheel(0, -120)
    await expect(ben.message('look:')).toBeAttached({ timeout: 200 })
  }).toPass()
  await expect(ben.message('look:')).not.toBeInViewport()
  const read = ben.history.getByRole('article').filter({ hasText: 'line 4.' }).first()
  const top = () => read.evaluate((row) => row.getBoundingClientRect().top)
  let before = NaN
  await expect(async () => {
    const now = await top()
    const same = now === before
    before = now
    expect(same).toBe(true)
  }).toPass()

  site.answer()

  await expect(card(ben, 'look:')).toBeAttached()
  await expect.poll(top).toBe(before)

  await ben.page.getByRole('button', { name: 'Jump to the newest message' }).click()
  await expect(ben.message('line 12.')).toBeInViewport({ ratio: 1 })
  await ada.post(id, `last: ${site.url}/last`)
  await expect(card(ben, 'last:')).toBeInViewport({ ratio: 1 })
})
