/** One line of a message: for the list, quotes, notifications. Pure. */
import type { File as StoredFile, Message } from '@synctalk/client/contracts'
import { withoutMarks } from '@/lib/text/marks'
import { oneLine } from '@/lib/text/rich'
import { texts } from '@/lib/text/texts'
import { kindOf } from '@synctalk/client/chat/files'

const t = texts.files

/** Its words without the marks of Markdown; where it has none, what its files are. */
export function excerptOf({ body, files = [] }: { body: string; files?: readonly StoredFile[] }): string {
  const words = oneLine(withoutMarks(body))
  return words === '' ? filesInWords(files) : words
}

function filesInWords(files: readonly StoredFile[]): string {
  const [first] = files
  if (first === undefined) return ''
  const kinds = new Set(files.map(kindOf))
  if (files.length > 1)
    return kinds.size === 1 && kinds.has('picture') ? t.photos(files.length) : t.many(files.length)
  const kind = kindOf(first)
  return kind === 'other' ? first.name : t[kind]
}

/** The same of a message that may be deleted. */
export const excerptOrDeleted = (message: Message): string =>
  message.deleted_at === null ? excerptOf(message) : texts.messages.deleted
