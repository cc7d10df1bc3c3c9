/** Writing: what was just sent, what waits, what is changed, and what cannot be sent any more. */
import type { Message } from '@synctalk/client/contracts'
import { expect, test, type User } from './users'

const editorOf = ({ page }: User) => page.getByRole('textbox', { name: 'Editing message' })

const stored = (user: User, id: string): Promise<string[]> =>
  user
    .call<{ items: Message[] }>('GET', `/v1/conversations/${id}/messages`)
    .then(({ items }) => items.map(({ body }) => body))

test('Up edits the last message, acked, being sent or queued; the edited message is marked and in view', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  for (let n = 1; n <= 9; n += 1) await ada.say(`earlier ${String(n)}.\n\n\nend`)
  await ada.expectMark('earlier 9.', 'sent')

  // Acked: the bar above the field covers nothing of it.
  await ada.composer.press('ArrowUp')
  await expect(editorOf(ada)).toHaveValue(/^earlier 9/)
  const edited = ada.history.getByRole('article').and(ada.page.locator('[aria-current="true"]'))
  await expect(edited).toContainText('earlier 9.')
  await expect(edited).toBeInViewport({ ratio: 1 })
  await editorOf(ada).press('Escape')
  await expect(edited).toHaveCount(0)
  // From far above it is brought back into sight.
  await ada.history.evaluate((log) => (log.scrollTop = 0))
  await expect(ada.message('earlier 9.')).not.toBeInViewport()
  await ada.composer.press('ArrowUp')
  await expect(edited).toBeInViewport({ ratio: 1 })
  await editorOf(ada).press('Escape')

  // Just sent: it waits for the ack, and edits that one.
  await ada.composer.fill('helo')
  await ada.composer.press('Enter')
  await ada.composer.press('ArrowUp')
  const either = ada.page.getByRole('textbox', { name: /^(Editing message|Message Ben)$/ })
  await expect(either).toHaveValue('helo')
  await either.fill('hello')
  await either.press('Enter')
  await expect.poll(() => stored(ada, id).then((bodies) => bodies.at(-1))).toBe('hello')
  expect(await stored(ada, id)).toHaveLength(10)

  // Waiting: it is taken back into the field, and nothing of it goes out.
  await ada.context.setOffline(true)
  await expect(ada.page.getByText(/You’re offline/)).toBeVisible()
  await ada.say('lunch at 12?')
  await ada.expectMark('lunch at 12?', 'sending')
  await ada.composer.press('ArrowUp')
  await expect(ada.composer).toHaveValue('lunch at 12?')
  await expect(ada.message('lunch at 12?')).toHaveCount(0)
  await ada.composer.fill('')

  // By its own actions too; the list follows.
  await ada.say('in anger')
  await ada.say('calmly')
  await expect(ada.row('Ben')).toContainText('You: calmly')
  await ada.composer.fill('begun')
  await ada.message('calmly').hover()
  await ada.message('calmly').getByRole('button', { name: 'Edit before sending' }).click()
  await expect(ada.composer).toHaveValue('calmly\nbegun')
  await expect(ada.composer).toBeFocused()
  await expect(ada.row('Ben')).toContainText('You: in anger')
  await ada.message('in anger').hover()
  await ada.message('in anger').getByRole('button', { name: 'Discard' }).click()
  await expect(ada.row('Ben')).not.toContainText('in anger')
  await ada.composer.press('Enter')
  await ada.context.setOffline(false)
  await ada.expectMark('calmly', 'sent')
  expect((await stored(ada, id)).slice(9)).toEqual(['hello', 'calmly\nbegun'])
})

test('a queued message moves its conversation to the top of the list', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const cleo = await absent('Cleo')
  const first = await ada.directWith(ben)
  await ada.post(await ada.directWith(cleo), 'later')
  await ada.open(first)
  const rows = ada.page.getByRole('navigation', { name: 'Conversations' }).locator('a[href^="/c/"]')
  await expect(rows.first()).toContainText('Cleo')
  await ada.context.setOffline(true)
  await expect(ada.page.getByText(/You’re offline/)).toBeVisible()
  await ada.say('below')
  await expect(rows.first()).toContainText('You: below')
})

test('removed from a group while writing: the draft is kept and can be copied, and no more requests are made there', async ({
  user,
  absent,
}) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const id = await ada.group('Without Ben', [ben])
  await ben.open(id)
  await ben.composer.fill('half a thought')
  const refused: string[] = []
  ben.page.on('response', (answer) => {
    if (answer.status() === 404) refused.push(answer.url())
  })
  await ada.call('DELETE', `/v1/conversations/${id}/members/${ben.id}`)
  await expect(ben.page.getByRole('heading', { name: 'You’re no longer in “Without Ben”.' })).toBeVisible()
  await expect(ben.page.getByRole('textbox', { name: 'What you wrote' })).toHaveValue('half a thought')
  await ben.context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await ben.page.getByRole('button', { name: 'Copy text' }).click()
  await expect(ben.page.getByText('Copied')).toBeVisible()
  expect(await ben.page.evaluate(() => navigator.clipboard.readText())).toBe('half a thought')
  await ben.page.getByRole('link', { name: 'Go to your conversations' }).click()
  await expect(ben.page).toHaveURL(/\/$/)
  // Back in, it is there again.
  await ada.call('POST', `/v1/conversations/${id}/members`, { user_ids: [ben.id] })
  await ben.open(id)
  await expect(ben.composer).toHaveValue('half a thought')
  expect(refused).toEqual([])
})

test('two tabs: a draft sent in one disappears in the other; a long title keeps the field one line high; the characters left are shown', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.group('T'.repeat(128), [ben])
  await ada.open(id)
  await ada.composer.fill('said once')
  const second = await ada.context.newPage()
  await second.setViewportSize({ width: 360, height: 740 })
  await second.goto(`/c/${id}`)
  const other = second.getByRole('textbox', { name: /^Message / })
  await expect(other).toHaveValue('said once')
  await ada.composer.press('Enter')
  await expect(other).toHaveValue('')

  // One line, and nothing wider than the screen, in the narrowest of them.
  expect((await other.boundingBox())?.height).toBe(44)
  expect(await second.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
  const head = await second.getByRole('heading', { name: /^TTT/ }).boundingBox()
  expect((head?.x ?? 0) + (head?.width ?? 0)).toBeLessThan(360)

  await other.fill('x')
  const width = (await other.boundingBox())?.width
  await other.fill('x'.repeat(8_001))
  await expect(second.getByText('1 character over the limit')).toBeVisible()
  expect((await other.boundingBox())?.width).toBe(width)
})
