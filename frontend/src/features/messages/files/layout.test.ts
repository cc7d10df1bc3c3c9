import { describe, expect, test } from 'vitest'
import { storedFile } from '@synctalk/client/chat/samples'
import { CARD_PX, filesHeight, singleSize, sorted, tileSize } from './layout'

const picture = (width: number, height: number) =>
  storedFile({ content_type: 'image/png', has_thumbnail: true, width, height })

describe('a picture by itself', () => {
  test.each([
    [picture(1600, 1000), { width: 420, height: 263 }],
    [picture(500, 1000), { width: 160, height: 320 }],
    [picture(200, 100), { width: 200, height: 100 }],
    [picture(16, 16), { width: 72, height: 72 }],
    [picture(40_000, 10), { width: 420, height: 72 }],
  ])('%# keeps its shape as far as it fits, and can be hit', (file, size) => {
    expect(singleSize(file)).toEqual(size)
  })

  test('a video of unknown size has the usual shape; a small one is shown larger', () => {
    const video = storedFile({ content_type: 'video/mp4' })
    expect(singleSize(video)).toEqual({ width: 420, height: 236 })
    expect(singleSize({ ...video, width: 320, height: 240 })).toEqual({ width: 420, height: 315 })
  })
})

test('several pictures are as high as each other, however narrow or wide they are', () => {
  for (const file of [picture(10, 1000), picture(100, 100), picture(1000, 10)]) {
    expect(tileSize(file).height).toBe(168)
    expect(tileSize(file).width).toBeGreaterThanOrEqual(96)
    expect(tileSize(file).width).toBeLessThanOrEqual(300)
  }
})

test('pictures come first, everything else in its order', () => {
  const note = storedFile({ id: 'note' })
  const first = { ...picture(1, 1), id: 'first' }
  const second = { ...picture(1, 1), id: 'second' }
  const { pictures, others } = sorted([first, note, second])
  expect([pictures, others]).toEqual([[first, second], [note]])
})

test('the guess of a height grows with each file and with each line of pictures', () => {
  expect(filesHeight([])).toBe(0)
  expect(filesHeight([storedFile()])).toBe(CARD_PX + 6)
  const line = filesHeight([picture(100, 100), picture(100, 100)])
  expect(filesHeight(Array.from({ length: 4 }, () => picture(100, 100)))).toBe(line)
  expect(filesHeight(Array.from({ length: 5 }, () => picture(100, 100)))).toBe(2 * line)
})
