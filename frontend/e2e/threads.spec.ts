/** Threads: replies beside the conversation, followed and read by themselves. */
import type { Message } from '@synctalk/client/contracts'
import { expectClean } from './clean'
import { expect, test, type User } from './users'

const pane = (user: User) => user.page.getByRole('complementary', { name: 'Thread' })
const field = (user: User) => pane(user).getByRole('textbox', { name: 'Reply in thread' })
const reply = (user: User, text: string) => pane(user).getByRole('article').filter({ hasText: text })

async function answer(user: User, text: string): Promise<void> {
  await field(user).fill(text)
  await field(user).press('Enter')
  await expect(reply(user, text)).toBeVisible()
}

const replyTo = (user: User, root: Message, body: string): Promise<Message> =>
  user.call('POST', `/v1/conversations/${root.conversation_id}/messages`, {
    client_message_id: `${root.id}-${body.replaceAll(/\W/g, '_')}`,
    thread_id: root.id,
    body,
  })

test('a reply stays in its thread; its root says so to everybody, and it is unread there alone', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.group('Launch', [ben])
  await ada.post(id, 'Where do we meet?')
  await ada.visit(id)
  await ben.open(id)

  await ben.message('Where do we meet?').hover()
  await ben.message('Where do we meet?').getByRole('button', { name: 'Reply in thread' }).click()
  await expect(field(ben)).toBeFocused()
  await answer(ben, 'At the harbour')
  await expect(pane(ben).getByRole('button', { name: 'Unfollow' })).toBeVisible()
  await expect(ben.message('At the harbour')).toHaveCount(0)
  for (const one of [ada, ben])
    await expect(one.message('Where do we meet?').getByRole('link', { name: '1 reply' })).toBeVisible()
  await expect(ada.message('At the harbour')).toHaveCount(0)

  await expect(ada.page.getByRole('link', { name: 'Threads, 1 unread' })).toBeVisible()
  await expect(ada.page).toHaveTitle('Launch · SyncTalk')
  await ada.message('Where do we meet?').getByRole('link', { name: '1 reply' }).click()
  await expect(reply(ada, 'At the harbour')).toBeVisible()
  await expect(ada.page).toHaveURL(new RegExp(`/c/${id}/thread/`))
  await expect(ada.page.getByRole('link', { name: 'Threads', exact: true })).toBeVisible()
  // Who types here is shown here, not in the conversation or the list; it goes on until it shows.
  await expect(async () => {
    await field(ben).pressSequentially('m')
    await expect(pane(ada).getByText('Ben is typing')).toBeVisible({ timeout: 500 })
  }).toPass({ timeout: 40_000 })
  await expect(ada.page.getByText(/typing/)).toHaveCount(1)
  await field(ben).fill('')
  await expect(ada.page.getByText(/typing/)).toHaveCount(0)
  await expectClean(ada.page, 'a thread')

  await pane(ada).getByRole('checkbox', { name: 'Also send to the conversation' }).check()
  await answer(ada, 'See you there')
  await expect(ben.message('See you there')).toContainText('Replied in a thread')
  await expect(reply(ben, 'See you there')).toBeVisible()
  await expect(ben.message('Where do we meet?').getByRole('link', { name: '2 replies' })).toBeVisible()

  await ada.page.keyboard.press('Escape')
  await expect(pane(ada)).toHaveCount(0)
  await expect(ada.page).toHaveURL(new RegExp(`/c/${id}$`))
})

test('by keyboard: T opens the thread of a message, and the arrows go through its replies', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  const root = await ada.post(id, 'The root')
  await replyTo(ben, root, 'first reply')
  await replyTo(ada, root, 'second reply')
  await ben.visit(id)
  await expect(ben.message('The root')).toBeVisible()
  await ben.message('The root').focus()
  await ben.page.keyboard.press('t')
  await expect(field(ben)).toBeFocused()
  await expect(reply(ben, 'second reply')).toBeVisible()
  await pane(ben).getByRole('log').focus()
  await ben.page.keyboard.press('ArrowUp')
  await expect(reply(ben, 'second reply')).toBeFocused()
  await ben.page.keyboard.press('ArrowUp')
  await expect(reply(ben, 'first reply')).toBeFocused()
})

test('the list of threads: what is unread, followed no more, and a link by number alone', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.group('Launch', [ben])
  const root = await ada.post(id, 'What is left to do?')
  const sent = await replyTo(ben, root, 'Paint the boat')
  await ada.page.getByRole('link', { name: 'Threads, 1 unread' }).click()
  const list = ada.page.getByRole('list', { name: 'Threads' })
  await expect(list.getByRole('listitem')).toContainText(['What is left to do?'])
  await expect(list).toContainText('1 new')
  await expectClean(ada.page, 'the list of threads')
  await list.getByRole('link').click()
  await expect(reply(ada, 'Paint the boat')).toBeVisible()
  await expect(ada.page.getByRole('link', { name: 'Threads', exact: true })).toBeVisible()

  await pane(ada).getByRole('button', { name: 'Unfollow' }).click()
  await expect(pane(ada).getByRole('button', { name: 'Follow', exact: true })).toBeVisible()
  await ada.page.getByRole('link', { name: 'Threads', exact: true }).click()
  await expect(ada.page.getByText('No threads yet')).toBeVisible()

  await ada.page.goto(`/c/${id}?at=${String(sent.seq)}`)
  await expect(reply(ada, 'Paint the boat')).toBeInViewport()
  await expect(ada.page).toHaveURL(new RegExp(`/thread/${root.id}`))
})

test('written without a connection, on a phone: it is sent to its thread when there is one', async ({
  user,
}) => {
  const ada = await user('Ada', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  const root = await ben.post(id, 'A question')
  await replyTo(ben, root, 'a hint')
  await ben.open(id)
  await ada.page.goto(`/c/${id}/thread/${root.id}`)
  await expect(reply(ada, 'a hint')).toBeVisible()
  await expectClean(ada.page, 'a thread on a phone')
  await ada.context.setOffline(true)
  await expect(ada.page.getByText(/You’re offline|Reconnecting/)).toBeVisible()
  await answer(ada, 'my answer')
  await ada.context.setOffline(false)
  await expect(ben.message('A question').getByRole('link', { name: '2 replies' })).toBeVisible()
  await pane(ada).getByRole('button', { name: 'Close thread' }).click()
  await expect(ada.message('A question').getByRole('link', { name: '2 replies' })).toBeVisible()
  await expect(ada.message('my answer')).toHaveCount(0)
})
