/** A reader and writer of the page: builds it, opens it at its origin, signs in, reads, writes, and reads again. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from '@playwright/test'
import { build } from 'vite'

const { SYNCTALK_URL, CHROMIUM, ORIGIN, CONVERSATION, USERNAME, PASSWORD } = process.env
const root = join(import.meta.dirname, '../js')
const outDir = await mkdtemp(join(tmpdir(), 'synctalk-page-'))
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  // Its origin is of no network, and the system is on this machine.
  args: ['--no-sandbox', '--disable-gpu', '--disable-features=LocalNetworkAccessChecks'],
})
try {
  const input = join(root, 'page.html')
  await build({ root, logLevel: 'warn', build: { outDir, target: 'es2022', rollupOptions: { input } } })
  const page = await browser.newPage()
  page.setDefaultTimeout(60_000)
  page.on('console', (message) => console.error(message.text()))
  page.on('pageerror', (error) => console.error(error))
  await page.route(`${ORIGIN}/**`, (route) =>
    route.fulfill({ path: join(outDir, new URL(route.request().url()).pathname) }),
  )
  const given = new URLSearchParams({ synctalk: SYNCTALK_URL, conversation: CONVERSATION })
  await page.goto(`${ORIGIN}/page.html?${given}`)
  await page.getByLabel('Username').fill(USERNAME)
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('listitem').filter({ hasText: 'written before' }).waitFor()
  await page.getByLabel('Message').fill('written in the page')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByRole('listitem').filter({ hasText: 'written meanwhile' }).waitFor()
  console.log(JSON.stringify(await page.getByRole('listitem').allTextContents()))
} finally {
  await browser.close()
  await rm(outDir, { recursive: true })
}
