import { Stream } from './stream'
import { expect, test } from './users'

test('a message whose writer fell silent says so', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ben.open(id)
  const stream = await Stream.start(ada, id)
  await stream.append('The half of')
  await expect(ben.message('The half of')).toBeVisible()
  // After some seconds of silence, which a setting gives, the server ends it.
  await expect(ben.message('The half of')).toContainText('(interrupted)', { timeout: 60_000 })
  await expect(ben.history.locator('[data-caret]')).toHaveCount(0)
})
