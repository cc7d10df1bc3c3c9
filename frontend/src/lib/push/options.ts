import { tagOf, type Notice } from './notice'

/** What browsers know and the types of the DOM do not. */
interface Options extends NotificationOptions {
  renotify: boolean
}

export const optionsOf = ({ body, kept }: Notice): Options => ({
  body,
  tag: tagOf(kept),
  // The next message of a conversation replaces the one before it, and is noticed all the same.
  renotify: true,
  icon: '/icon-192.png',
  badge: '/badge.png',
  data: kept,
})
