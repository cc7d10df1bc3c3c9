/** The few texts beside the frame of an embedded chat, which `embed.js` has alone; what is in the frame has its own. */
import type { Language } from './languages'
import { pluralsOf } from './plurals'

export interface WidgetTexts {
  chat: string
  unread: (n: number) => string
  /** The name of the button, and what is unread. */
  both: (name: string, unread: string) => string
}

export const WIDGET_TEXTS: Readonly<Record<Language, WidgetTexts>> = {
  en: {
    chat: 'Chat',
    unread: (n) => pluralsOf('en')(n, { one: '# unread message', other: '# unread messages' }),
    both: (name, unread) => `${name}, ${unread}`,
  },
  de: {
    chat: 'Chat',
    unread: (n) => pluralsOf('de')(n, { one: '# ungelesene Nachricht', other: '# ungelesene Nachrichten' }),
    both: (name, unread) => `${name}, ${unread}`,
  },
  ar: {
    chat: 'المحادثة',
    unread: (n) =>
      pluralsOf('ar')(n, {
        zero: 'لا رسائل غير مقروءة',
        one: 'رسالة واحدة غير مقروءة',
        two: 'رسالتان غير مقروءتين',
        few: '# رسائل غير مقروءة',
        many: '# رسالة غير مقروءة',
        other: '# رسالة غير مقروءة',
      }),
    both: (name, unread) => `${name}، ${unread}`,
  },
}
