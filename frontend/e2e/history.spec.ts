import type { Message } from '../src/contracts'
import { createAccount, expect, test, type Account, type Person } from './people'
import type { APIRequestContext } from '@playwright/test'

const TOTAL = 10_000
const SENDERS = 120

/** A group with ten thousand messages, written by many, as one person may send only so many a second. */
async function longGroup(owner: Person, request: APIRequestContext): Promise<string> {
  const senders: Account[] = []
  for (let n = 0; n < SENDERS; n += 10) {
    const batch = Array.from({ length: 10 }, (_, k) => createAccount(request, `Writer ${String(n + k + 1)}`))
    senders.push(...(await Promise.all(batch)))
  }
  const data = {
    type: 'group',
    title: 'Ten thousand',
    member_ids: senders.map(({ tokens }) => tokens.user.id),
  }
  const { id } = await owner.call<{ id: string }>('POST', '/v1/conversations', data)
  let next = 0
  const write = async (sender: Account): Promise<void> => {
    while (next < TOTAL) {
      const n = (next += 1)
      await postPatiently(request, sender, id, n)
    }
  }
  await Promise.all(senders.map(write))
  return id
}

async function postPatiently(
  request: APIRequestContext,
  sender: Account,
  id: string,
  n: number,
): Promise<void> {
  const body = `number ${String(n)} ${'and some more words '.repeat(n % 7)}`
  for (;;) {
    const answer = await request.post(`/v1/conversations/${id}/messages`, {
      headers: { Authorization: `Bearer ${sender.tokens.access_token}` },
      data: { client_message_id: `n${String(n)}`, body },
    })
    if (answer.ok()) return
    expect([429, 503]).toContain(answer.status())
    const { error } = (await answer.json()) as { error: { retry_after?: number } }
    await new Promise((resolve) => setTimeout(resolve, (error.retry_after ?? 0.5) * 1000))
  }
}

test('older pages are loaded without a jump', async ({ person }) => {
  const ada = await person('Ada')
  const ben = await person('Ben')
  const eve = await person('Eve')
  const people = [ada, ben, eve, await person('Dan'), await person('Fay'), await person('Gus')]
  const id = await ada.group('Older', people.slice(1))
  for (let n = 1; n <= 110; n += 1) {
    await people[n % people.length]?.post(id, `line ${String(n)}. ${'words '.repeat((n * 7) % 60)}`)
  }
  await ada.page.goto('/')
  await ada.open(id)
  await ada.page
    .getByRole('button', { name: /Jump to the newest/ })
    .click()
    .catch(() => undefined)
  const jumps = await ada.history.evaluate(async (log) => {
    let worst = 0
    const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve))
    for (let step = 0; step < 260 && log.scrollTop > 0; step += 1) {
      const tops = new Map(
        [...log.querySelectorAll('article, [role=article]')].map((row) => [
          row,
          row.getBoundingClientRect().top,
        ]),
      )
      const before = log.scrollTop
      log.scrollTop = before - 60
      await frame()
      await frame()
      const view = log.getBoundingClientRect()
      for (const [row, top] of tops) {
        const now = row.getBoundingClientRect()
        if (row.isConnected && now.bottom > view.top && now.top < view.bottom && top > view.top) {
          // Every row in view moved by what was scrolled, and by nothing else.
          worst = Math.max(worst, Math.abs(now.top - top - 60))
        }
      }
    }
    return worst
  })
  expect(jumps).toBeLessThanOrEqual(2)
  await expect(ada.page.getByText('This is the beginning of “Older”.')).toBeVisible()
})

test('ten thousand messages: scrolling drops no beat, and a key stroke does not wait', async ({
  person,
  playwright,
  baseURL,
}) => {
  test.setTimeout(300_000)
  const ada = await person('Ada')
  const request = await playwright.request.newContext({ baseURL: baseURL ?? '' })
  const id = await longGroup(ada, request)
  await request.dispose()
  await ada.open(id)
  await ada.page.getByRole('button', { name: /Jump to the newest message/ }).click()
  await expect(ada.page.getByRole('button', { name: /Jump to the newest message/ })).toHaveCount(0)

  // All of it is brought into the page first: as much as there can be.
  const loaded = await ada.history.evaluate(async (log) => {
    const pause = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 30))
    for (let waited = 0; waited < 4_000; waited += 1) {
      if (log.textContent.includes('This is the beginning of')) return true
      log.scrollTop = 0
      await pause()
    }
    return false
  })
  expect(loaded).toBe(true)

  const scrolling = await ada.history.evaluate(async (log) => {
    const gaps: number[] = []
    const longTasks: number[] = []
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) longTasks.push(entry.duration)
    })
    observer.observe({ type: 'longtask' })
    let last = performance.now()
    for (let frame = 0; frame < 600; frame += 1) {
      log.scrollTop += frame < 300 ? 120 : 2_000
      const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve))
      gaps.push(now - last)
      last = now
    }
    observer.disconnect()
    gaps.sort((a, b) => a - b)
    const at = (share: number): number => gaps[Math.floor(gaps.length * share)] ?? 0
    return {
      p50: at(0.5),
      p95: at(0.95),
      p99: at(0.99),
      worst: gaps.at(-1) ?? 0,
      longTasks: longTasks.length,
    }
  })

  await ada.composer.focus()
  const typing = await ada.composer.evaluate(async (field: HTMLTextAreaElement) => {
    const costs: number[] = []
    for (let n = 0; n < 120; n += 1) {
      const start = performance.now()
      field.setRangeText('x', field.value.length, field.value.length, 'end')
      field.dispatchEvent(new InputEvent('input', { bubbles: true, data: 'x', inputType: 'insertText' }))
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
      costs.push(performance.now() - start)
    }
    costs.sort((a, b) => a - b)
    return { p50: costs[60] ?? 0, p95: costs[114] ?? 0 }
  })
  test.info().annotations.push({ type: 'scrolling, ms', description: JSON.stringify(scrolling) })
  test.info().annotations.push({ type: 'key stroke to next frame, ms', description: JSON.stringify(typing) })
  console.log('scrolling, ms a frame', scrolling, 'key stroke to the next frame, ms', typing)
  expect(scrolling.p95).toBeLessThan(34)
  expect(scrolling.longTasks).toBeLessThanOrEqual(3)
  expect(typing.p95).toBeLessThan(50)
  const { items } = await ada.call<{ items: Message[] }>('GET', `/v1/conversations/${id}/messages?limit=1`)
  expect(items[0]?.seq).toBe(TOTAL)
})
