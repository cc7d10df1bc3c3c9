/** Answers: the message that is answered stands above, and is one click away, however far up it is. */
import { expect, test, type AbsentUser } from './users'

test('reply from the toolbar: both users see the quote, and it leads to its message far back', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  const question = await ada.post(id, 'Shall we meet at noon?')
  for (let n = 1; n <= 18; n += 1) await ada.post(id, `line ${String(n)}.`)
  for (let n = 19; n <= 38; n += 1) await ben.post(id, `line ${String(n)}.`)
  await ben.open(id)
  await ben.page.goto(`/c/${id}?at=${String(question.seq)}`)
  await expect(ben.message('Shall we meet')).toBeInViewport()
  await expect(ben.message('Shall we meet')).toHaveAttribute('data-tint', 'marked')
  await ben.message('Shall we meet').hover()
  await ben.message('Shall we meet').getByRole('button', { name: 'Reply', exact: true }).click()
  await expect(ben.composer).toBeFocused()
  await expect(ben.page.getByText('Replying to')).toBeAttached()
  await ben.say('Gladly')
  await expect(ben.page.getByText('Replying to')).toHaveCount(0)
  await expect(ben.message('Gladly').locator('[data-quote]')).toContainText('Shall we meet at noon?')

  await ada.open(id)
  await expect(ada.message('Gladly')).toBeInViewport()
  await expect(ada.message('line 1.')).not.toBeInViewport()
  await ada.message('Gladly').locator('[data-quote]').click()
  const first = ada.history.getByRole('article').filter({ hasText: 'noon' }).first()
  await expect(first).toBeInViewport()
  await expect(first).toBeFocused()
  await expect(first).toHaveAttribute('data-tint', 'marked')
  await expect(first).not.toHaveAttribute('data-tint', 'marked')
})

test('a quote leads to a message that is not loaded, and one click leads back', async ({ user, absent }) => {
  test.setTimeout(180_000)
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  const first = await ada.post(id, 'the very first')
  // Five a second is what one may send: some are refused at first.
  const post = (sender: AbsentUser, data: { client_message_id: string; body: string; reply_to?: string }) =>
    expect(() => sender.call('POST', `/v1/conversations/${id}/messages`, data)).toPass()
  for (let n = 1; n <= 120; n += 1)
    await post(n % 2 === 0 ? ada : ben, {
      client_message_id: `line-${String(n)}`,
      body: `line ${String(n)}.`,
    })
  await post(ada, { client_message_id: 'answer', body: 'an answer', reply_to: first.id })
  await ben.call('POST', `/v1/conversations/${id}/read`, { seq: 122 })
  await ben.visit(id)
  await expect(ben.message('an answer').locator('[data-quote]')).toContainText('the very first')
  await ben.message('an answer').locator('[data-quote]').click()
  await expect(ben.message('the very first').first()).toBeInViewport()
  await expect(ben.message('line 120.')).toHaveCount(0)
  await ben.page.getByRole('button', { name: 'Jump to the newest message' }).click()
  await expect(ben.message('an answer')).toBeInViewport()
})

test('keyboard: R replies to a message, Escape cancels; a quote of a deleted message says so', async ({
  user,
  absent,
}) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  const asked = await ada.post(id, 'a question')
  await ben.open(id)
  await expect(ben.message('a question')).toBeVisible()
  await ben.history.focus()
  await ben.page.keyboard.press('ArrowUp')
  await expect(ben.message('a question')).toBeFocused()
  await ben.page.keyboard.press('r')
  await expect(ben.composer).toBeFocused()
  await ben.page.keyboard.press('Escape')
  await expect(ben.page.getByText('Replying to')).toHaveCount(0)
  await ben.history.focus()
  await ben.page.keyboard.press('ArrowUp')
  await ben.page.keyboard.press('r')
  await expect(ben.page.getByText('Replying to')).toBeAttached()
  await ben.page.keyboard.type('an answer')
  await ben.page.keyboard.press('Enter')
  await ben.expectMark('an answer', 'sent')
  await ada.call('DELETE', `/v1/conversations/${id}/messages/${asked.id}`)
  await expect(ben.message('an answer').locator('[data-quote]')).toContainText('Message deleted')
})
