import type { Locator } from '@playwright/test'
import type { Message, Receipt } from '@synctalk/client/contracts'
import { callAs, createAccount, expect, look, postAs, test, type User } from './users'

test('messages are rendered as text, never as markup; links are safe, line breaks are kept', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ben.open(id)
  await ada.open(id)
  await ada.say('<img src=x onerror="document.title=1"> <b>bold</b> javascript:alert(1)')
  await expect(ben.message('<b>bold</b>')).toBeVisible()
  await expect(ben.history.locator('b, img')).toHaveCount(0)
  await expect(ben.history.getByRole('link')).toHaveCount(0)
  await ada.composer.pressSequentially('see https://example.org/a?b=1.')
  await ada.composer.press('Shift+Enter')
  await ada.composer.pressSequentially('second line')
  await ada.composer.press('Enter')
  const link = ben.history.getByRole('link', { name: 'https://example.org/a?b=1' })
  await expect(link).toHaveAttribute('rel', /noopener/)
  await expect(link).toHaveAttribute('target', '_blank')
  await expect(ben.message('second line')).toContainText('see https://example.org/a?b=1.\nsecond line')
})

test('sent, delivered and read marks appear as they happen', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ben.context.setOffline(true)
  await ada.open(id)
  await ada.say('one')
  await ada.expectMark('one', 'sent')
  await ben.context.setOffline(false)
  await ada.expectMark('one', 'delivered')
  await ben.row('Ada').click()
  await ada.expectMark('one', 'read')
})

test('many conversations with new messages: all are marked as delivered over one connection, a few at a time', async ({
  user,
  request,
}) => {
  const ada = await user('Ada')
  const writers = await Promise.all(
    ['Ben', 'Cleo', 'Dan', 'Eve', 'Fay', 'Gus'].map((name) => createAccount(request, name)),
  )
  await ada.page.goto('about:blank')
  const groups = await Promise.all(
    writers.map(async (writer) => {
      const ids: string[] = []
      for (let n = 0; n < 19; n += 1) {
        const data = { type: 'group', title: `Group ${String(n)}`, member_ids: [ada.id] }
        const { id } = await callAs<{ id: string }>(request, writer, 'POST', '/v1/conversations', data)
        await postAs(request, writer, id, 'new')
        ids.push(id)
      }
      return { writer, ids }
    }),
  )
  let sockets = 0
  let most = 0
  const underWay = new Set<string>()
  ada.page.on('websocket', (socket) => {
    sockets += 1
    socket.on('framesent', ({ payload }) => {
      const [, call] = /^42(\d+)\["receipt/.exec(String(payload)) ?? []
      if (call !== undefined) underWay.add(call)
      most = Math.max(most, underWay.size)
    })
    socket.on('framereceived', ({ payload }) => {
      const [, call] = /^43(\d+)/.exec(String(payload)) ?? []
      if (call !== undefined) underWay.delete(call)
    })
  })
  await ada.page.goto('/')
  for (const { writer, ids } of groups) {
    for (const id of [ids[0], ids.at(-1)]) {
      const url = `/v1/conversations/${String(id)}/receipts?seq=1`
      await expect
        .poll(() =>
          callAs<{ items: Receipt[] }>(request, writer, 'GET', url).then(({ items }) => items[0]?.delivered),
        )
        .toBe(true)
    }
  }
  expect(sockets).toBe(1)
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(24)
})

test('group: the marks appear once all members have received or read, and a click shows who has', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const eve = await user('Eve')
  const id = await ada.group('Three', [ben, eve])
  await ada.open(id)
  await ben.open(id)
  await ada.say('to all')
  await ada.expectMark('to all', 'delivered')
  await expect(ada.message('to all').getByTitle('Delivered, read by 1')).toBeVisible()
  await ada
    .message('to all')
    .getByRole('button', { name: /Show who/ })
    .click()
  const who = ada.page.getByRole('dialog', { name: 'Who has read this' })
  await expect(who.locator('section').filter({ hasText: 'Read by' })).toContainText('Ben')
  await expect(who.locator('section').filter({ hasText: 'Delivered to' })).toContainText('Eve')
  await eve.open(id)
  await expect(who.locator('section').filter({ hasText: 'Read by' })).toContainText('Eve')
  await ada.page.keyboard.press('Escape')
  await ada.expectMark('to all', 'read')
})

test('a burst: only the last message of each state shows its mark; the others on hover, in the same place', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  await ben.open(id)
  const mark = (text: string) => ada.message(text).locator('[data-mark]')
  const isShown = (text: string, shown: boolean) =>
    expect(mark(text).locator('..')).toHaveCSS('opacity', shown ? '1' : '0')
  for (const text of ['first', 'second', 'third']) await ada.say(text)
  await ada.expectMark('third', 'read')
  await isShown('third', true)
  await isShown('second', false)
  await isShown('first', false)
  await ben.page.goto('/settings')
  for (const text of ['fourth', 'fifth']) await ada.say(text)
  await ada.expectMark('fifth', 'delivered')
  await isShown('third', true)
  await isShown('fourth', false)
  await isShown('fifth', true)

  await ada.message('first').hover()
  await isShown('first', true)
  await ada.message('second').focus()
  await isShown('second', true)
  // Hidden ones are read out all the same.
  await expect(ada.message('fourth').getByRole('img', { name: 'Delivered' })).toHaveCount(1)
  const places = await Promise.all(['first', 'third', 'fifth'].map((text) => mark(text).boundingBox()))
  expect(new Set(places.map((place) => place?.x)).size).toBe(1)
})

test('typing: one name, two names, then a count; it ends with the message', async ({ user }) => {
  const ada = await user('Ada')
  const others = [await user('Ben'), await user('Cleo'), await user('Dan')]
  const id = await ada.group('Talk', others)
  await ada.open(id)
  for (const other of others) await other.open(id)
  /** They type on until it shows, as each one's typing ends by itself after a while. */
  const typed = (users: readonly User[], words: string | RegExp): Promise<void> =>
    expect(async () => {
      for (const { composer } of users) await composer.pressSequentially('m')
      await expect(ada.page.getByRole('status').getByText(words)).toBeVisible({ timeout: 500 })
    }).toPass({ timeout: 40_000 })
  await typed(others.slice(0, 1), 'Ben is typing')
  await typed(others.slice(0, 2), /(Ben and Cleo|Cleo and Ben) are typing/)
  await typed(others, /\w+ and two others are typing/)
  for (const { composer } of others) await composer.press('Enter')
  await expect(ada.history.getByRole('article')).toHaveCount(3)
  await expect(ada.page.getByText(/typing/)).toHaveCount(0)
})

test('edit with the up arrow, and delete; both users see it', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  await ben.open(id)
  await ada.say('helo')
  await ada.expectMark('helo', 'read')
  const editor = ada.page.getByRole('textbox', { name: 'Editing message' })
  // With Alt it leads to the conversation above, and there is none.
  await ada.composer.press('Alt+ArrowUp')
  await expect(editor).toHaveCount(0)
  await ada.composer.press('ArrowUp')
  await expect(editor).toHaveValue('helo')
  await editor.fill('hello')
  await editor.press('Enter')
  await expect(ben.message('hello')).toContainText('(edited)')
  await ada.message('hello').hover()
  await ada.message('hello').getByRole('button', { name: 'Delete' }).click()
  await ada.page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click()
  await expect(ben.message('Message deleted')).toBeVisible()
  await expect(ben.row('Ada')).toContainText('Message deleted')
})

test('a draft survives a reload and disappears once sent', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  await ada.composer.fill('unfinished')
  await ada.page.reload()
  await expect(ada.composer).toHaveValue('unfinished')
  await ada.composer.press('Enter')
  await ada.expectMark('unfinished', 'sent')
  await ada.page.reload()
  await expect(ada.composer).toHaveValue('')
})

test('near the limit the characters left are shown; beyond it nothing is sent', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  await ada.open(await ada.directWith(ben))
  await ada.composer.fill('x'.repeat(7_990))
  await expect(ada.page.getByText('10 characters left')).toBeVisible()
  await ada.composer.fill('x'.repeat(8_001))
  await expect(ada.page.getByText('1 character over the limit')).toBeVisible()
  await expect(ada.page.getByRole('button', { name: 'Send' })).toBeDisabled()
})

test('two tabs of one user show what the other sends and reads', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ben.post(id, 'are you there?')
  const second = await ada.context.newPage()
  await second.goto('/')
  const row = second.getByRole('navigation', { name: 'Conversations' }).getByRole('link', { name: 'Ben' })
  await expect(row).toContainText('1 unread message')
  await ada.open(id)
  await expect(row).not.toContainText('unread')
  await ada.say('here I am')
  await expect(row).toContainText('You: here I am')
  await second.goto(`/c/${id}`)
  await expect(second.getByRole('log').getByRole('article')).toHaveText([/are you there/, /here I am/])
})

test('a conversation opens at the first unread message, and jumps to the newest from there', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  for (let n = 1; n <= 18; n += 1) await ada.post(id, `line ${String(n)}.\nmore\nmore\nmore\nmore\nmore\nend`)
  await ben.open(id)
  await expect(ben.history.getByRole('separator').filter({ hasText: 'New' })).toBeInViewport()
  await expect(ben.message('line 1.')).toBeInViewport()
  await expect(ben.message('line 18.')).not.toBeInViewport()
  const down = ben.page.getByRole('button', { name: /Jump to the newest message/ })
  await expect(down).toHaveText(/\d+/)
  await down.click()
  await expect(ben.message('line 18.')).toBeInViewport()
  await expect(down).toHaveCount(0)
  // What was jumped over is unread still; on the way back down it is read.
  await expect(ben.row('Ada')).toContainText(/\d+ unread messages/)
  await ada.open(id)
  await ada.expectMark('line 18.', 'delivered')
  await ben.page.getByRole('button', { name: '18 new messages' }).click()
  await expect(ben.message('line 1.')).toBeInViewport()
  const newLine = ben.history.getByRole('separator').filter({ hasText: 'New' })
  const below = async (): Promise<number> =>
    ((await newLine.boundingBox())?.y ?? 0) - ((await ben.history.boundingBox())?.y ?? 0)
  await expect.poll(below).toBeGreaterThanOrEqual(36)
  await ben.history.hover()
  await expect(async () => {
    await ben.page.mouse.wheel(0, 200)
    await expect(ben.row('Ada')).not.toContainText('unread', { timeout: 100 })
  }).toPass()
  await ada.expectMark('line 18.', 'read')
})

test('after jumping to the newest message the skipped ones can be marked as read', async ({
  user,
  absent,
}) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  for (let n = 1; n <= 19; n += 1) await ada.post(id, `line ${String(n)}.\nmore\nmore\nmore\nmore\nmore\nend`)
  await ben.open(id)
  const down = ben.page.getByRole('button', { name: /Jump to the newest message/ })
  const up = ben.page.getByRole('button', { name: '19 new messages' })

  // The wheel turns over the buttons too, and while it does the day is shown.
  const day = ben.history.locator('[data-floating-day]')
  await expect(day).toHaveCount(0)
  const top = () => ben.history.evaluate((log) => log.scrollTop)
  const over = async (button: Locator): Promise<void> => {
    const box = await button.boundingBox()
    await ben.page.mouse.move((box?.x ?? 0) + 15, (box?.y ?? 0) + 15)
  }
  // Two frames later it is where it was: the history has been placed at the first unread message.
  const later = () =>
    ben.history.evaluate(
      (log) =>
        new Promise<number>((resolve) => {
          requestAnimationFrame(() =>
            requestAnimationFrame(() => {
              resolve(log.scrollTop)
            }),
          )
        }),
    )
  await expect(ben.message('line 1.')).toBeInViewport()
  await expect.poll(async () => (await top()) === (await later())).toBe(true)
  const start = await top()
  await over(down)
  await ben.page.mouse.wheel(0, 250)
  await expect.poll(top).toBe(start + 250)
  await expect(day).toHaveCSS('opacity', '1')
  await expect(day).toHaveText('Today')
  await over(up)
  await ben.page.mouse.wheel(0, 150)
  await expect.poll(top).toBe(start + 400)
  await expect(day).toHaveCSS('opacity', '0')

  await down.click()
  await expect(ben.message('line 19.')).toBeInViewport()
  await expect(ben.row('Ada')).toContainText(/\d+ unread messages/)
  await ben.page.getByRole('button', { name: 'Mark as read' }).click()
  await expect(ben.row('Ada')).not.toContainText('unread')
  await expect(up).toHaveCount(0)
})

test('long messages are collapsed; combining marks stay inside their message; “(edited)” is in the last line', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  const stacked = `z${'\u0301\u0316'.repeat(200)}`
  await ben.post(id, `x${'\n'.repeat(7_900)}y`)
  await ben.post(id, 'long '.repeat(1_600).trim())
  const edited = await ben.post(id, stacked)
  await ben.call('PATCH', `/v1/conversations/${id}/messages/${edited.id}`, { body: `${stacked}!` })
  await ada.call('POST', `/v1/conversations/${id}/read`, { seq: 3 })
  await ada.open(id)
  const height = async (text: string): Promise<number> => (await ada.message(text).boundingBox())?.height ?? 0

  // "(edited)" adds no line, and nothing is painted outside of the row.
  await expect(ada.message('(edited)')).toBeVisible()
  expect(await height('(edited)')).toBeLessThan(40)
  const painted = await ada.message('(edited)').evaluate((row) => {
    const { top, height: high } = row.getBoundingClientRect()
    const text = row.querySelector('.whitespace-pre-wrap')
    const clip = text?.parentElement?.getBoundingClientRect()
    return {
      clips:
        text?.parentElement === null || text === null ? '' : getComputedStyle(text.parentElement).overflowY,
      above: top - (clip?.top ?? 0),
      below: (clip?.bottom ?? 0) - top - high,
    }
  })
  expect(painted.clips).toBe('clip')
  expect(painted.above).toBeLessThanOrEqual(4)
  expect(painted.below).toBeLessThanOrEqual(4)

  expect(await height('long long')).toBeLessThan(450)
  await ada.message('long long').getByRole('button', { name: 'Show more' }).click()
  await expect.poll(() => height('long long')).toBeGreaterThan(1_000)
  await ada.message('long long').getByRole('button', { name: 'Show less' }).click()
  await expect.poll(() => height('long long')).toBeLessThan(450)
  await expect(ada.message('x\n\n\ny').getByRole('button', { name: 'Show more' })).toBeAttached()
  expect(await height('y')).toBeLessThan(450)

  // What is sent has no gaps to begin with.
  await ada.composer.fill(`\n\none${'\n'.repeat(10)}two\n\n`)
  await ada.composer.press('Enter')
  await ada.expectMark('two', 'sent')
  const { items } = await ada.call<{ items: Message[] }>('GET', `/v1/conversations/${id}/messages?limit=1`)
  expect(items[0]?.body).toBe('one\n\n\ntwo')
})

test('messages that arrive while the page is hidden: a line before them, and a button that leads to it', async ({
  user,
  absent,
}) => {
  const ada = await absent('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.post(id, 'before')
  await ben.open(id)
  await expect(ben.message('before')).toBeVisible()
  await look(ben.page, false)
  for (let n = 1; n <= 12; n += 1) await ada.post(id, `while away ${String(n)}.\n\n\nend`)
  await expect(ben.message('while away 12.')).toBeInViewport()
  await expect(ben.row('Ada')).toContainText('12 unread messages')
  await look(ben.page, true)
  await expect(ben.row('Ada')).not.toContainText('unread')
  await ben.page.getByRole('button', { name: '12 new messages' }).click()
  await expect(ben.message('while away 1.')).toBeInViewport()
  await ben.say('I am back')
  await expect(ben.message('I am back')).toBeInViewport()
  await expect(ben.history.getByRole('separator').filter({ hasText: 'New' })).toHaveCount(0)
})
