/** What a notification of a message says and keeps, shown by the page and by the service worker alike. Pure. */
import type { PushData } from '@synctalk/client/contracts'

const PRODUCT = 'SyncTalk'

/** What a notification keeps for its click and its withdrawal. */
export interface Kept {
  conversation_id: string
  thread_id: string
  seq: number
}

export interface Notice {
  title: string
  body: string
  kept: Kept
}

export interface Push {
  data: PushData
  /** The same in the device's language; null: nothing is shown. */
  notification: { title: string | null; body: string } | null
}

/** Of a conversation, or of a thread, the newest message is shown. */
export const tagOf = ({ conversation_id, thread_id }: Omit<Kept, 'seq'>): string =>
  thread_id || conversation_id

export const pathOf = ({ conversation_id, thread_id, seq }: Kept): string =>
  thread_id === '' ? `/c/${conversation_id}` : `/c/${conversation_id}/thread/${thread_id}?at=${String(seq)}`

/** Return what a notification kept; null: it is none of a message. */
export function keptIn(data: unknown): Kept | null {
  if (typeof data !== 'object' || data === null || !('conversation_id' in data)) return null
  return data as Kept
}

/** Read what the server pushed; null: it is of another version. */
export function pushIn(text: string): Push | null {
  try {
    const push = JSON.parse(text) as Partial<Push> | null
    return typeof push?.data?.conversation_id === 'string'
      ? { notification: null, ...push, data: push.data }
      : null
  } catch {
    return null
  }
}

export const keptOf = ({ conversation_id, thread_id, seq }: PushData): Kept => ({
  conversation_id,
  thread_id: thread_id ?? '',
  seq: Number(seq),
})

/** Who wrote, where and what, as far as the user's settings let the server send it; `newMessage` where it sends nothing. */
export function noticeOf({ data, notification }: Push, newMessage: string): Notice {
  const names = [data.sender_name, data.title].filter((name) => name)
  return {
    title: names.join(' · ') || PRODUCT,
    body: data.text || notification?.body || newMessage,
    kept: keptOf(data),
  }
}

/** Whether a shown notification is withdrawn with the messages up to `seq`. */
export const isWithdrawn = (shown: Kept, seq: number): boolean => shown.seq <= seq
