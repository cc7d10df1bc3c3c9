/** `/embed.js`: chat in a page of somebody else's, by one script element. It holds no token and stores nothing. */
import { Backend } from './backend'
import { Widget } from './widget'

/** What the page may call. */
export interface SyncTalk {
  open(): void
  close(): void
  toggle(): void
  /** Subscribe to the number of unread messages; what is returned unsubscribes. */
  on(event: 'unread', listener: (count: number) => void): () => void
}

declare global {
  interface Window {
    SyncTalk?: SyncTalk
  }
}

const script = document.currentScript
if (script instanceof HTMLScriptElement && window.SyncTalk === undefined) {
  const { tokenUrl } = script.dataset
  const widget = new Widget(script, new Backend(tokenUrl))
  window.SyncTalk = {
    open: () => widget.open(),
    close: () => widget.close(),
    toggle: () => widget.toggle(),
    on: (event, listener) => {
      if (event !== 'unread') throw new TypeError(`There is no event ${String(event)}.`)
      return widget.onUnread(listener)
    },
  }
  if (document.body === null) document.addEventListener('DOMContentLoaded', () => widget.start())
  else widget.start()
}
