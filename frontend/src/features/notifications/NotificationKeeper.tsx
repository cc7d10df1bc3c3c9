import { useEffect, useRef } from 'react'
import { useMatch, useNavigate } from 'react-router'
import { useLanguage } from '@/lib-react/language'
import { useNotifications, useNow } from '@/lib-react/page'
import { useConversations, useSummary } from '@/lib-react/chat'
import { countedUnread, settingsOf } from '@synctalk/client/chat/attention'
import { titleOf } from '@/lib/chat/names'
import { texts } from '@/lib/text/texts'
import { useLive } from '@/lib-react/session'
import { useStore } from 'zustand'

/** Loaded by those who turned it on. */
const loadDesktop = () => import('./desktop')

/** Shows what is unread in the title, the icon and the app's badge, and notifies of messages while the page is hidden. */
export function NotificationKeeper() {
  const unread = useCountedUnread()
  useTitle(unread)
  useBadges(unread)
  useDesktopNotifications()
  return null
}

/** Count the unread messages of which the user wants to be notified. */
export function useCountedUnread(): number {
  const conversations = useConversations()
  const { notificationSettings } = useLive()
  const all = useStore(notificationSettings.known)
  const now = useNow()
  useEffect(() => void notificationSettings.read(Infinity), [notificationSettings])
  return conversations.reduce(
    (count, summary) => count + countedUnread(summary, settingsOf(all, summary.id), now),
    0,
  )
}

/** Each of many tabs shows which conversation it has open. */
function useTitle(unread: number): void {
  const id = useMatch('/c/:id/*')?.params.id ?? ''
  const summary = useSummary(id)
  const language = useLanguage()
  const title = summary === null ? null : titleOf(summary)
  useEffect(() => {
    document.title = texts.notifications.pageTitle(unread, title)
  }, [unread, title, language])
  useEffect(
    () => () => {
      document.title = texts.product
    },
    [],
  )
}

function useBadges(unread: number): void {
  const some = unread > 0
  useEffect(() => {
    document.querySelector('link[rel="icon"]')?.setAttribute('href', some ? '/icon-unread.svg' : '/icon.svg')
    return () => document.querySelector('link[rel="icon"]')?.setAttribute('href', '/icon.svg')
  }, [some])
  useEffect(() => {
    // Not every browser has app badges, and none shows one for a page that is not installed.
    if ('setAppBadge' in navigator) void navigator.setAppBadge(unread).catch(() => undefined)
  }, [unread])
}

function useDesktopNotifications(): void {
  const { choice, permission } = useNotifications()
  const live = useLive()
  const navigate = useRef(useNavigate())
  const language = useLanguage()
  const on = choice === 'on' && permission === 'granted'
  useEffect(() => {
    if (!on) return
    const abort = new AbortController()
    const signal = AbortSignal.any([abort.signal, live.signal])
    const open = (path: string): void => void navigate.current(path)
    loadDesktop().then(
      ({ startDesktopNotifications }) => startDesktopNotifications(live, open, signal),
      // Without the network there is nothing to notify of; the next page load tries again.
      () => undefined,
    )
    return () => abort.abort()
    // The device and the worker are in the page's language.
  }, [on, live, language])
}
