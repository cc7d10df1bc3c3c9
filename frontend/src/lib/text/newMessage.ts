/** What a notification says of a message that it does not show; the service worker has this text alone. */
import type { Language } from './languages'

export const NEW_MESSAGE: Readonly<Record<Language, string>> = {
  en: 'New message',
  de: 'Neue Nachricht',
  ar: 'رسالة جديدة',
}
