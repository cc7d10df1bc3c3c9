/** Notifications of what the server pushed: one for each conversation, withdrawn when it is read elsewhere. */
import { isWithdrawn, keptIn, keptOf, noticeOf, pathOf, pushIn, tagOf, type Kept } from '@/lib/push/notice'
import { optionsOf } from '@/lib/push/options'
import { NEW_MESSAGE } from '@/lib/text/newMessage'
import { keptLanguage } from './language'
import { isPage } from './shell'

declare const self: ServiceWorkerGlobalScope

export async function notify(text: string): Promise<void> {
  const push = pushIn(text)
  if (push === null) return
  await showBadge(Number(push.data.badge))
  const kept = keptOf(push.data)
  const shown = await self.registration.getNotifications({ tag: tagOf(kept) })
  if (push.data.type === 'retract') {
    for (const one of shown) if (isWithdrawn(keptIn(one.data) ?? kept, kept.seq)) one.close()
    return
  }
  if (await isBeingRead(kept)) return
  // The page may have shown this one, or a newer one, already.
  if (shown.some((one) => (keptIn(one.data)?.seq ?? 0) >= kept.seq)) return
  const notice = noticeOf(push, NEW_MESSAGE[await keptLanguage()])
  await self.registration.showNotification(notice.title, optionsOf(notice))
}

/** Open the conversation in a tab that is there, or else in a new one. */
export async function openClicked(notification: Notification): Promise<void> {
  notification.close()
  const kept = keptIn(notification.data)
  const path = kept === null ? '/' : pathOf(kept)
  const tabs = await openTabs()
  const tab = tabs.find(({ focused }) => focused) ?? tabs[0]
  if (tab === undefined) {
    await self.clients.openWindow(path)
    return
  }
  tab.postMessage({ type: 'open', path })
  // The browser may refuse, as when its window was closed meanwhile.
  await tab.focus().catch(() => undefined)
}

async function isBeingRead(kept: Kept): Promise<boolean> {
  const tabs = await openTabs()
  return tabs.some(({ focused, url }) => focused && new URL(url).pathname === pathOf(kept))
}

/** Tabs of the client itself, the last used first. */
async function openTabs(): Promise<readonly WindowClient[]> {
  const tabs = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  return tabs.filter(({ url, frameType }) => frameType !== 'nested' && isPage(new URL(url).pathname))
}

async function showBadge(unread: number): Promise<void> {
  if ('setAppBadge' in self.navigator && Number.isFinite(unread))
    await self.navigator.setAppBadge(unread).catch(() => undefined)
}
