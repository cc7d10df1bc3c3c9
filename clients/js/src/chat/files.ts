/** What kinds of files there are to a reader. Pure. */
import type { File as StoredFile } from '../contracts.js'

export type FileKind = 'picture' | 'video' | 'audio' | 'other'

/** What browsers show, and the server serves as what it is. */
const PICTURES: ReadonlySet<string> = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])
const VIDEOS: ReadonlySet<string> = new Set(['video/mp4', 'video/webm'])
const SOUNDS: ReadonlySet<string> = new Set(['audio/mpeg', 'audio/mp4', 'audio/ogg', 'audio/wav'])

export function kindOf({ content_type, has_thumbnail }: StoredFile): FileKind {
  if (has_thumbnail) return 'picture'
  if (VIDEOS.has(content_type)) return 'video'
  return SOUNDS.has(content_type) ? 'audio' : 'other'
}

/** Whether the bytes themselves can be shown in a page, not only their thumbnail. */
export const isShownAsItIs = ({ content_type }: StoredFile): boolean => PICTURES.has(content_type)

export const isAnimated = ({ content_type }: StoredFile): boolean => content_type === 'image/gif'
