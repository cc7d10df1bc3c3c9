import { expect, test } from './users'

/** Where tokens live no longer than this a user sees them end while reading; elsewhere the test would take as long. */
const SHORT_S = 120

test('the socket outlives its token', async ({ user }) => {
  const ada = await user('Ada')
  const life = ada.account.tokens.expires_in
  expect(life, 'needs a stack with a short SYNCTALK_ACCESS_TOKEN_TTL_S').toBeLessThanOrEqual(SHORT_S)
  test.setTimeout((life + 90) * 1000)
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  await ben.open(id)
  let sockets = 0
  ada.page.on('websocket', () => (sockets += 1))
  // The first token, and the one that followed it.
  const end = Date.now() + 1.5 * life * 1000
  for (let n = 1; Date.now() < end; n += 1) {
    await ada.say(`message ${String(n)}.`)
    await ada.expectMark(`message ${String(n)}.`, 'read')
    await expect(ben.message(`message ${String(n)}.`)).toBeVisible()
    await ada.page.waitForTimeout(2_000)
  }
  expect(sockets).toBe(0)
})
