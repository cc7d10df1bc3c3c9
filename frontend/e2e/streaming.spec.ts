/** Streamed messages: read while they are written, and announced once they are whole. */
import type { Message } from '../src/contracts'
import { expectClean } from './clean'
import { expect, test, type User } from './users'

/** Writes one message bit by bit, as an assistant does. */
class Stream {
  private at = 0

  private constructor(
    private readonly writer: User,
    private readonly message: Message,
  ) {}

  static async start(writer: User, id: string): Promise<Stream> {
    const data = { client_message_id: `stream-${id}`, body: '' }
    return new Stream(
      writer,
      await writer.call<Message>('POST', `/v1/conversations/${id}/messages/stream`, data),
    )
  }

  async append(text: string): Promise<void> {
    await this.writer.call('PATCH', `${this.url}/stream`, { at: this.at, text })
    this.at += [...text].length
  }

  async end(): Promise<void> {
    await this.writer.call('POST', `${this.url}/stream/end`, {})
  }

  private get url(): string {
    return `/v1/conversations/${this.message.conversation_id}/messages/${this.message.id}`
  }
}

test('a message is read while it is written, also by who comes to it later, and is announced at its end', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.post(id, 'What is a harbour?')
  await ben.open(id)
  await expect(ben.message('What is a harbour?')).toBeVisible()

  const stream = await Stream.start(ada, id)
  await expect(ben.history.locator('[data-caret]')).toBeVisible()
  await stream.append('A place 🚢 ')
  await expect(ben.message('A place 🚢')).toBeVisible()
  await stream.append('for ships')
  await expect(ben.message('A place 🚢 for ships')).toBeVisible()
  await expectClean(ben.page, 'a message that is being written')
  const announced = ben.page.locator('[aria-live="polite"][aria-relevant="additions"]')
  await expect(announced).not.toContainText('A place')

  // Away and back: the text so far is loaded, and what follows joins it.
  await ben.page.reload()
  await expect(ben.message('A place 🚢 for ships')).toBeVisible()
  await ben.context.setOffline(true)
  await expect(ben.page.getByText(/You’re offline|Reconnecting/)).toBeVisible()
  await stream.append(', and')
  await ben.context.setOffline(false)
  await expect(ben.page.getByText(/You’re offline|Reconnecting/)).toHaveCount(0)
  await stream.append(' for gulls.')
  await expect(ben.message('A place 🚢 for ships, and for gulls.')).toBeVisible()

  await stream.end()
  await expect(ben.history.locator('[data-caret]')).toHaveCount(0)
  await expect(announced).toContainText('Ada: A place 🚢 for ships, and for gulls.')
})

test('a message whose writer fell silent says so', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ben.open(id)
  const stream = await Stream.start(ada, id)
  await stream.append('The half of')
  await expect(ben.message('The half of')).toBeVisible()
  // After 30 seconds of silence the server ends it.
  await expect(ben.message('The half of')).toContainText('(interrupted)', { timeout: 60_000 })
  await expect(ben.history.locator('[data-caret]')).toHaveCount(0)
})
