import { useEffect, useRef } from 'react'
import { useNavigate } from 'react-router'
import type { Message } from '@/contracts'
import { useConversations } from '@/lib/chat/list'
import { nameOf, titleOf } from '@/lib/chat/names'
import { summary, useChat } from '@/lib/chat/store'
import { onIncoming } from '@/lib/live/live'
import { useNotifications } from '@/lib/notifications'
import { oneLine } from '@/lib/text/rich'
import { texts } from '@/lib/text/texts'

/** The title, the icon and the app's badge tell what is unread; a notification tells of a message while the page is hidden. */
export function NotificationKeeper() {
  useBadges()
  useHiddenNotifications()
  return null
}

function useBadges(): void {
  const unread = useConversations().reduce((sum, { unread: count }) => sum + count, 0)
  useEffect(() => {
    document.title = unread > 0 ? texts.notifications.unreadTitle(unread) : texts.product
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]')
    if (icon !== null) icon.href = unread > 0 ? '/icon-unread.svg' : '/icon.svg'
    // Not every browser has app badges, and none shows one for a page that is not installed.
    if ('setAppBadge' in navigator) void navigator.setAppBadge(unread).catch(() => undefined)
  }, [unread])
  useEffect(
    () => () => {
      document.title = texts.product
      document.querySelector('link[rel="icon"]')?.setAttribute('href', '/icon.svg')
    },
    [],
  )
}

function useHiddenNotifications(): void {
  const { choice, permission } = useNotifications()
  const navigate = useRef(useNavigate())
  const on = choice === 'on' && permission === 'granted'
  useEffect(() => {
    if (!on) return
    return onIncoming((message) => {
      if (document.visibilityState === 'hidden') show(message, (path) => void navigate.current(path))
    })
  }, [on])
}

function show(message: Message, open: (path: string) => void): void {
  const state = useChat.getState()
  const conversation = summary(state, message.conversation_id)
  if (conversation === null || state.presence[state.me ?? '']?.status === 'dnd') return
  const sender = nameOf(state.users[message.sender_id])
  const title = conversation.type === 'direct' ? sender : `${sender} · ${titleOf(conversation)}`
  // The tag makes two tabs show one notification, not two.
  const notification = new Notification(title, {
    body: oneLine(message.body),
    tag: message.id,
    icon: '/icon.svg',
  })
  notification.onclick = () => {
    window.focus()
    open(`/c/${message.conversation_id}`)
    notification.close()
  }
}
