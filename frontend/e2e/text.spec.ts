/** Texts of every direction and kind, as they stand on the page. */
import { expect, test } from './users'
import type { Locator } from '@playwright/test'

const ARABIC = 'هذه رسالة طويلة جدا لا تنتهي أبدا ويستمر الكلام فيها ويستمر ويستمر حتى النهاية البعيدة'

/** Where the text's first character stands, from the start edge of what clips it; in pixels, from its left. */
const firstCharacter = (part: Locator): Promise<{ at: number; width: number }> =>
  part.evaluate((element) => {
    const range = document.createRange()
    range.setStart(element.firstChild as Node, 0)
    range.setEnd(element.firstChild as Node, 1)
    const box = element.getBoundingClientRect()
    return { at: range.getBoundingClientRect().left - box.left, width: box.width }
  })

test('previews start at their beginning in either direction, and each part keeps its own direction', async ({
  user,
}) => {
  const ada = await user('Ada')
  const avi = await user('אבי')
  const id = await ada.group('مجموعة الأصدقاء القدامى الذين لم يلتقوا منذ زمن طويل جدا', [avi])
  await avi.post(id, '5 items, ok')
  const row = ada.page.locator(`nav a[href="/c/${id}"]`)
  await expect(row).toContainText('אבי: 5 items, ok')
  const name = await row.getByText('אבי', { exact: true }).boundingBox()
  const words = await row.getByText('5 items, ok', { exact: true }).boundingBox()
  expect((name?.x ?? 0) + (name?.width ?? 0)).toBeLessThanOrEqual(words?.x ?? 0)

  await avi.post(id, ARABIC)
  const preview = row.locator('bdi').last()
  await expect(preview).toHaveText(ARABIC)
  const begins = await firstCharacter(preview)
  expect(begins.at).toBeGreaterThan(begins.width / 2)
  expect(begins.at).toBeLessThanOrEqual(begins.width)

  await ada.open(id)
  const title = await firstCharacter(ada.page.locator('#main h2 bdi'))
  expect(title.at).toBeGreaterThan(title.width / 2)
  await avi.open(id)
  await avi.composer.pressSequentially('שלום')
  await expect(ada.page.getByText('אבי is typing')).toBeVisible()
  const typing = await ada.page.getByText('אבי is typing').boundingBox()
  const typist = await ada.page.locator('[role="status"] bdi').boundingBox()
  expect(typist?.x).toBe(typing?.x)
})

test('each line has its own direction; links, code and mentions are recognized', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.group('Texts', [ben])
  await ada.visit(id)
  await ben.post(id, 'שלום לכולם\nhello world.')
  const lines = ada.message('hello world.').locator('.whitespace-pre-wrap')
  const stops = await lines.evaluate((element) => {
    const text = element.firstChild as Text
    const at = (index: number): DOMRect => {
      const range = document.createRange()
      range.setStart(text, index)
      range.setEnd(text, index + 1)
      return range.getBoundingClientRect()
    }
    const end = text.data.length - 1
    const box = element.getBoundingClientRect()
    return {
      stop: at(end).left,
      d: at(end - 1).left,
      shalom: box.right - at(0).right,
      hello: at(11).left - box.left,
    }
  })
  expect(stops.stop).toBeGreaterThan(stops.d)
  expect(stops.shalom).toBeLessThan(2)
  expect(stops.hello).toBeLessThan(2)

  const name = ada.account.username
  await ben.post(
    id,
    `@${name} 请看 https://example.com/docs。谢谢 (me@mail.example) \`@${name}\`\n\`\`\`Python\r\nx\r\n\`\`\``,
  )
  const rich = ada.message('谢谢')
  await expect(rich.locator('[data-mention]')).toHaveText([`@${name}`])
  await expect(rich.getByRole('link').nth(0)).toHaveAttribute('href', 'https://example.com/docs')
  await expect(rich.getByRole('link').nth(1)).toHaveAttribute('href', 'mailto:me@mail.example')
  await expect(rich.locator('pre')).toHaveText('x')
})

test('a hostile text does not slow the page down', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ada.visit(id)
  await ben.post(id, `https://a${'.'.repeat(7_980)}a`)
  await ben.post(id, '`a` '.repeat(1_990))
  for (const part of ['*', '[', '> ', '||a', '- a\n', '|a|\n|-|\n|b|\n\n'])
    await ben.post(id, part.repeat(8_000).slice(0, 7_990))
  await ben.post(id, 'the end')
  await expect(ada.message('the end')).toBeVisible()
  expect(await ada.history.locator('code').count()).toBeLessThan(300)
})
