/** Files: chosen, pasted or dropped, uploaded while one writes, sent with words or without, and looked at by the others. */
import { readFile } from 'node:fs/promises'
import { expectClean } from './clean'
import type { Page } from '@playwright/test'
import { expect, test, type User } from './users'
import { picture, sound, text } from './samples'

const attach = (user: User, ...files: { name: string; mimeType: string; buffer: Buffer }[]): Promise<void> =>
  user.page.locator('[data-attach]').setInputFiles(files)

const uploads = (user: User, state: 'uploading' | 'ready' | 'failed') =>
  user.page.locator(`[data-upload="${state}"]`)

/** Files in the hand: dropped on what has this name, or pasted into it. */
async function hand(
  page: Page,
  how: 'drop' | 'paste',
  to: string,
  files: { name: string; mimeType: string; buffer: Buffer }[],
): Promise<void> {
  const given = files.map(({ name, mimeType, buffer }) => ({ name, mimeType, bytes: [...buffer] }))
  const data = await page.evaluateHandle((all) => {
    const transfer = new DataTransfer()
    for (const { name, mimeType, bytes } of all)
      transfer.items.add(new File([new Uint8Array(bytes)], name, { type: mimeType }))
    return transfer
  }, given)
  if (how === 'drop') {
    for (const type of ['dragenter', 'dragover'])
      await page.locator(to).dispatchEvent(type, { dataTransfer: data })
    await expect(page.getByText('Drop files to attach them')).toBeVisible()
    await page.locator(to).dispatchEvent('drop', { dataTransfer: data })
    return
  }
  await page.locator(to).evaluate((target, clipboardData) => {
    target.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
  }, data)
}

test('pictures without a word: both see them at once, in a place that was kept, and large with the arrows', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  await ben.open(id)
  await attach(ada, picture('first.png', 900, 600), picture('second.png', 400, 800))
  await expect(uploads(ada, 'ready')).toHaveCount(2)
  await expectClean(ada.page, 'attached')
  await expect(ada.composer).toBeFocused()
  await ada.composer.press('Enter')
  await expect(uploads(ada, 'ready')).toHaveCount(0)
  for (const { page } of [ada, ben]) await expect(page.locator('[data-picture="shown"]')).toHaveCount(2)
  await expect(ada.row('Ben')).toContainText('2 photos')
  await expect(ada.history.locator('[data-mark]').last()).toHaveAttribute('data-mark', 'read')

  await ben.page.getByRole('button', { name: 'Open picture first.png' }).click()
  const lightbox = ben.page.getByRole('dialog', { name: 'first.png' })
  await expect(lightbox.locator('[data-whole="true"]')).toBeVisible()
  await expect(lightbox.getByRole('status')).toContainText('1 of 2')
  await expectClean(ben.page, 'lightbox')
  await ben.page.keyboard.press('ArrowRight')
  await expect(ben.page.getByRole('dialog', { name: 'second.png' })).toBeVisible()
  await ben.page.keyboard.press('ArrowRight')
  await expect(lightbox).toBeVisible()
  await ben.page.keyboard.press('Escape')
  await expect(ben.page.getByRole('dialog')).toHaveCount(0)
  await expect(ben.page.getByRole('button', { name: 'Open picture first.png' })).toBeFocused()
  await expectClean(ben.page, 'pictures in the history')
})

test('the place of a picture is as large before it is loaded as afterwards', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  await attach(ada, picture('slow.png', 900, 600))
  await expect(uploads(ada, 'ready')).toHaveCount(1)
  await ada.composer.press('Enter')
  await expect(ada.page.locator('[data-picture="shown"]')).toHaveCount(1)
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  await ben.page.route('**/thumbnail?*', async (route) => {
    await released
    await route.continue()
  })
  await ben.open(id)
  const place = ben.page.getByRole('button', { name: 'Open picture slow.png' })
  await expect(place.locator('canvas')).toBeVisible()
  const before = await place.boundingBox()
  expect(before?.height).toBeGreaterThan(200)
  release()
  await expect(ben.page.locator('[data-picture="shown"]')).toHaveCount(1)
  expect(await place.boundingBox()).toEqual(before)
})

test('pasted and dropped, with words; a sound plays in its place, and a document is saved with its name', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  await hand(ada.page, 'paste', 'textarea', [picture('pasted.png', 60, 60)])
  await expect(uploads(ada, 'ready')).toHaveCount(1)
  await hand(ada.page, 'drop', '[role="log"]', [sound('memo.wav', 2), text('plans.txt', 'all our plans')])
  await expect(uploads(ada, 'ready')).toHaveCount(3)
  await ada.say('everything at once')
  await ada.expectMark('everything at once', 'delivered')

  await ben.open(id)
  const message = ben.message('everything at once')
  await expect(message.locator('[data-picture="shown"]')).toHaveCount(1)
  await message.getByRole('button', { name: 'Play memo.wav' }).click()
  await expect(message.locator('audio')).toBeFocused()
  await expect
    .poll(() => message.locator('audio').evaluate((player: HTMLAudioElement) => player.duration))
    .toBeCloseTo(2, 0)
  const saved = ben.page.waitForEvent('download')
  await message.getByRole('button', { name: 'Download plans.txt' }).click()
  const download = await saved
  expect(download.suggestedFilename()).toBe('plans.txt')
  expect(await readFile(await download.path(), 'utf8')).toBe('all our plans')
  await expectClean(ben.page, 'files in the history')
})

test('a video has its place before it is loaded, and plays there', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  const recorded = await ada.page.evaluate(async () => {
    const canvas = document.createElement('canvas')
    const context = canvas.getContext('2d')
    const recorder = new MediaRecorder(canvas.captureStream(10), { mimeType: 'video/webm;codecs=vp8' })
    const parts: Blob[] = []
    recorder.ondataavailable = ({ data }) => parts.push(data)
    const stopped = new Promise((resolve) => (recorder.onstop = resolve))
    recorder.start()
    for (let frame = 0; frame < 10; frame += 1) {
      context?.fillRect(frame * 10, 0, 10, 100)
      await new Promise(requestAnimationFrame)
    }
    recorder.stop()
    await stopped
    return [...new Uint8Array(await new Blob(parts).arrayBuffer())]
  })
  await attach(ada, { name: 'clip.webm', mimeType: 'video/webm', buffer: Buffer.from(recorded) })
  await expect(uploads(ada, 'ready')).toHaveCount(1)
  await ada.composer.press('Enter')
  await expect(ben.row('Ada')).toContainText('Video')
  await ben.open(id)
  const play = ben.page.getByRole('button', { name: 'Play clip.webm' })
  const before = await play.boundingBox()
  await expectClean(ben.page, 'a video in the history')
  await play.click()
  const player = ben.history.locator('video')
  await expect(player).toBeFocused()
  await expect.poll(() => player.evaluate((video: HTMLVideoElement) => video.videoWidth)).toBeGreaterThan(0)
  expect((await player.boundingBox())?.height).toBeCloseTo(before?.height ?? 0, 0)
})

test('an upload shows how far it is and can be cancelled; one that fails says so and can be tried again', async ({
  user,
  absent,
}) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  let mode: 'hold' | 'fail' | 'pass' = 'hold'
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  await ada.page.route('**/v1/uploads/**', async (route) => {
    if (mode === 'fail') return route.fulfill({ status: 500, body: '' })
    if (mode === 'hold') await released
    await route.continue().catch(() => undefined)
  })
  await attach(ada, text('slow.txt', 'slow'), text('unwanted.txt', 'unwanted'))
  await expect(ada.page.getByRole('progressbar', { name: 'Upload of slow.txt' })).toBeVisible()
  await ada.page.getByRole('button', { name: 'Cancel the upload of unwanted.txt' }).click()
  await expect(uploads(ada, 'uploading')).toHaveCount(1)
  // Enter means: send it once all of it is there.
  await ada.say('with a file')
  await expect(ada.page.getByText('This message is sent once its files are uploaded.')).toBeVisible()
  await expect(ada.message('with a file')).toHaveCount(0)
  // Also for who looks elsewhere meanwhile.
  await ada.page.goBack()
  await expect(ada.composer).toHaveCount(0)
  mode = 'pass'
  release()
  await expect(ada.row('Ben')).toContainText('You: with a file')
  await ada.open(id)
  await expect(ada.message('with a file').getByRole('button', { name: 'Download slow.txt' })).toBeVisible()
  await expect(ada.composer).toHaveValue('')

  mode = 'fail'
  await attach(ada, text('again.txt', 'again'))
  await expect(uploads(ada, 'failed')).toContainText('Not uploaded')
  await expectClean(ada.page, 'a failed upload')
  mode = 'pass'
  await ada.page.getByRole('button', { name: 'Upload again.txt again' }).click()
  await expect(uploads(ada, 'ready')).toHaveCount(1)
  await ada.page.getByRole('button', { name: 'Remove again.txt' }).click()
  await expect(ada.page.getByRole('list', { name: 'Attached files' })).toHaveCount(0)

  await attach(ada, text('empty.txt', ''))
  await expect(uploads(ada, 'failed')).toContainText('This file is empty')
  await ada.page.getByRole('button', { name: 'Remove empty.txt' }).click()
  const many = Array.from({ length: 11 }, (_, n) => text(`${String(n)}.txt`, 'one of many'))
  await attach(ada, ...many)
  await expect(ada.page.getByText('A message has 10 files at most.')).toBeVisible()
  await expect(ada.page.locator('[data-upload]')).toHaveCount(10)
})

test('attached while offline: goes up with the connection, and the message after it', async ({ user }) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  await ben.open(id)
  // What shows files is there from the first one on.
  await attach(ada, text('first.txt', 'first'))
  await expect(uploads(ada, 'ready')).toHaveCount(1)
  await ada.say('with the first')
  await expect(
    ben.message('with the first').getByRole('button', { name: 'Download first.txt' }),
  ).toBeVisible()
  await expect(
    ada.message('with the first').getByRole('button', { name: 'Download first.txt' }),
  ).toBeVisible()
  await ada.context.setOffline(true)
  await expect(ada.page.getByText(/You’re offline/)).toBeVisible()
  await attach(ada, text('later.txt', 'later'))
  await expect(uploads(ada, 'failed')).toHaveCount(1)
  await ada.say('when I am back')
  await expect(ada.page.getByText('This message is sent once its files are uploaded.')).toBeVisible()
  await ada.context.setOffline(false)
  await expect(
    ben.message('when I am back').getByRole('button', { name: 'Download later.txt' }),
  ).toBeVisible()
})

test('written offline with a file: taken back, the file is attached again', async ({ user, absent }) => {
  const ada = await user('Ada')
  const ben = await absent('Ben')
  const id = await ada.directWith(ben)
  await ada.open(id)
  await attach(ada, text('first.txt', 'first'))
  await expect(uploads(ada, 'ready')).toHaveCount(1)
  await ada.say('with the first')
  await expect(
    ada.message('with the first').getByRole('button', { name: 'Download first.txt' }),
  ).toBeVisible()
  await attach(ada, text('kept.txt', 'kept'))
  await expect(uploads(ada, 'ready')).toHaveCount(1)
  await ada.context.setOffline(true)
  await expect(ada.page.getByText(/You’re offline/)).toBeVisible()
  await ada.say('too early')
  await expect(ada.message('too early').getByRole('button', { name: 'Download kept.txt' })).toBeVisible()
  await ada.composer.press('ArrowUp')
  await expect(ada.composer).toHaveValue('too early')
  await expect(uploads(ada, 'ready')).toContainText('kept.txt')
  await expect(ada.message('too early')).toHaveCount(0)
})

test('pictures of a user and of a group: chosen in the settings and in the details, seen by the others at once', async ({
  user,
}) => {
  const ada = await user('Ada')
  const ben = await user('Ben')
  const id = await ada.group('Launch', [ben])
  await ben.directWith(ada)
  await ada.page.goto('/settings')
  await ada.page.locator('[data-picture-choice]').setInputFiles(picture('me.png', 1200, 900))
  await expect(ada.page.getByRole('button', { name: 'Change picture' })).toBeVisible()
  await expect(ben.row('Ada').locator('img')).toBeVisible()
  await expect
    .poll(() =>
      ben
        .row('Ada')
        .locator('img')
        .evaluate((one: HTMLImageElement) => one.naturalWidth),
    )
    .toBeGreaterThan(0)
  await ada.page.locator('[data-picture-choice]').setInputFiles({
    ...text('no picture.png', 'words'),
    mimeType: 'image/png',
  })
  await expect(ada.page.getByRole('alert')).toHaveText('This file can’t be used as a picture.')
  await expectClean(ada.page, 'settings with a picture')
  await ada.page.goto(`/c/${id}/details`)
  await ada.page.locator('[data-picture-choice]').setInputFiles(picture('us.png', 300, 300))
  await expect(ben.row('Launch').locator('img')).toBeVisible()
  await ada.page.getByRole('button', { name: 'Remove picture' }).click()
  await expect(ben.row('Launch').locator('img')).toHaveCount(0)
  await ben.page.goto(`/c/${id}/details`)
  await expect(ben.page.getByRole('button', { name: 'Add people' })).toBeVisible()
  await expect(ben.page.locator('[data-picture-choice]')).toHaveCount(0)
})
