/** Runs after all others, alone: it kills what they stand on. */
import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Message } from '@synctalk/client/contracts'
import { expect, test } from './users'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..')

/** The processes of that kind, as `make ps` lists them. */
function pidsOf(kind: string): number[] {
  const lines = execFileSync('make', ['--silent', 'ps'], { cwd: ROOT, encoding: 'utf8' }).split('\n')
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([name, , , state]) => name?.startsWith(`${kind}-`) === true && state === 'running')
    .map(([, pid]) => Number(pid))
}

test('gateways killed during a conversation: all messages arrive in order, exactly once', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  await ben.open(id)
  const lines = Array.from({ length: 16 }, (_, n) => `line ${String(n + 1)}.`)
  for (const [n, line] of lines.entries()) {
    if (n === 5) for (const pid of pidsOf('gateway')) process.kill(pid, 'SIGKILL')
    await ada.say(line)
  }
  await expect(ben.history.getByRole('article')).toHaveText(
    lines.map((line) => new RegExp(line)),
    { timeout: 30_000 },
  )
  await ada.expectMark('line 16.', 'read')
  await ben.say('I have them all')
  await expect(ada.message('I have them all')).toBeVisible()
  const { items } = await ada.call<{ items: Message[] }>('GET', `/v1/conversations/${id}/messages?limit=100`)
  expect(items.map(({ body }) => body)).toEqual([...lines, 'I have them all'])
})
