/** The first load over a slow line. */
import { createAccount, expect, signedIn, test } from './users'

test('slow network: the page renders at once and requests the conversations at once', async ({
  user,
  browser,
  baseURL,
}) => {
  const ben = await user('Ben')
  const ada = await createAccount(ben.page.request, 'Ada')
  await ben.call('POST', '/v1/conversations', { type: 'direct', member_ids: [ada.tokens.user.id] })
  const context = await browser.newContext({ storageState: signedIn(ada, baseURL) })
  const page = await context.newPage()
  const line = await context.newCDPSession(page)
  await line.send('Network.enable')
  await line.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 400,
    downloadThroughput: 50_000,
    uploadThroughput: 50_000,
  })
  const order: string[] = []
  page.on('request', (request) => {
    // Those that are hidden are asked for after that.
    const url = new URL(request.url())
    if (url.pathname === '/v1/conversations' && !url.searchParams.has('hidden'))
      order.push('conversations asked for')
  })
  page.on('requestfinished', (request) => {
    if (request.url().includes('/assets/base-') && request.resourceType() === 'script')
      order.push('script there')
  })
  await page.goto('/', { waitUntil: 'commit' })
  await expect(page.getByRole('navigation', { name: 'Conversations' })).toContainText('Ben', {
    timeout: 30_000,
  })
  const painted = await page.evaluate(() => performance.getEntriesByName('first-paint')[0]?.startTime)
  expect(painted).toBeLessThan(2_500)
  expect(order).toEqual(['conversations asked for', 'script there'])
  await expect(page.locator('#shell')).toBeHidden()
  await context.close()
})
