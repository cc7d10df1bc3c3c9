/** Streamed messages: read while they are written, and announced once they are whole. */
import { expectClean } from './clean'
import { Stream } from './stream'
import { expect, test } from './users'

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
