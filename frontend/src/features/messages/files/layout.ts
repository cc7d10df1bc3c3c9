/** How large files are shown, known before anything of them is loaded, so that nothing moves when it is. Pure. */
import type { File as StoredFile } from '@synctalk/client/contracts'
import { kindOf } from '@synctalk/client/chat/files'

export interface Size {
  width: number
  height: number
}

const MOST: Size = { width: 420, height: 320 }
const LEAST = 72
/** Several pictures stand beside each other, all as high as this. */
const TILE_HEIGHT = 168
const TILE_WIDTHS = { least: 96, most: 300 }
/** A video says nothing of its size before it is loaded where the server could not find it out. */
const USUAL_VIDEO: Size = { width: 16, height: 9 }
export const CARD_PX = 56
const GAP_PX = 6
/** The width of a wide history, for a guess of its height. */
const LINE_WIDTH = 720

const clamp = (value: number, least: number, most: number): number =>
  Math.round(Math.min(most, Math.max(least, value)))

function sizeOf({ width, height, content_type }: StoredFile): Size {
  if (width !== null && height !== null && width > 0 && height > 0) return { width, height }
  return content_type.startsWith('video/') ? USUAL_VIDEO : { width: 1, height: 1 }
}

/** A picture or video by itself: whole, no larger than it is (but never too small to be hit) and no larger than the box. */
export function singleSize(file: StoredFile): Size {
  const { width, height } = sizeOf(file)
  const grown = kindOf(file) === 'video' ? Infinity : 1
  const scale = Math.min(grown, MOST.width / width, MOST.height / height)
  return { width: clamp(width * scale, LEAST, MOST.width), height: clamp(height * scale, LEAST, MOST.height) }
}

/** One of several: as high as the others. */
export function tileSize(file: StoredFile): Size {
  const { width, height } = sizeOf(file)
  return {
    width: clamp((TILE_HEIGHT * width) / height, TILE_WIDTHS.least, TILE_WIDTHS.most),
    height: TILE_HEIGHT,
  }
}

export interface Sorted {
  pictures: readonly StoredFile[]
  others: readonly StoredFile[]
}

/** Pictures first, then everything else, each in the order in which it was sent. */
export const sorted = (files: readonly StoredFile[]): Sorted => ({
  pictures: files.filter((file) => kindOf(file) === 'picture'),
  others: files.filter((file) => kindOf(file) !== 'picture'),
})

/** A guess of how high a message's files are. */
export function filesHeight(files: readonly StoredFile[]): number {
  const { pictures, others } = sorted(files)
  const [only] = pictures
  let height = 0
  if (only !== undefined && pictures.length === 1) height += singleSize(only).height + GAP_PX
  if (pictures.length > 1) height += linesOfTiles(pictures) * (TILE_HEIGHT + GAP_PX)
  for (const file of others) height += (kindOf(file) === 'video' ? singleSize(file).height : CARD_PX) + GAP_PX
  return height
}

function linesOfTiles(pictures: readonly StoredFile[]): number {
  let lines = 1
  let used = 0
  for (const picture of pictures) {
    const { width } = tileSize(picture)
    if (used > 0 && used + width > LINE_WIDTH) {
      lines += 1
      used = 0
    }
    used += width + GAP_PX
  }
  return lines
}
