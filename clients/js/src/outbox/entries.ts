/** The text of an outbox: a first line that says whose it is, and below it one line of JSON for each entry. */
import type { OutgoingMessage } from '../client/outbox.js'

export type Entry = { put: OutgoingMessage } | { removed: string }

const FIRST = /^\{"outbox":"\w+"\}$/

export const firstLine = (owner: string): string => `{"outbox":"${owner}"}\n`

/** A line begins with a break too: after one that was torn, the next one is whole. */
export const lineOf = (entry: Entry): string => `\n${JSON.stringify(entry)}\n`

export function apply(entry: Entry, messages: Map<string, OutgoingMessage>): void {
  if ('put' in entry) messages.set(entry.put.client_message_id, entry.put)
  else messages.delete(entry.removed)
}

/** Return the messages of a text, by id, without what was torn; null: it is of something else. */
export function messagesIn(text: string): Map<string, OutgoingMessage> | null {
  const messages = new Map<string, OutgoingMessage>()
  const [first = '', ...lines] = text.split('\n')
  if (text !== '' && !FIRST.test(first)) return null
  for (const line of lines) {
    const entry = line === '' ? null : entryIn(line)
    if (entry !== null) apply(entry, messages)
  }
  return messages
}

function entryIn(line: string): Entry | null {
  try {
    return JSON.parse(line) as Entry
  } catch {
    return null
  }
}
