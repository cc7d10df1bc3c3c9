/** Desktop notifications: shown by one tab for all, and closed when their message is read anywhere. */
import type { GlobalNotificationSettings, Message } from '@/contracts'
import { isQuiet, isToMe, isWanted, settingsOf } from '@/lib/chat/attention'
import { nameOf, titleOf } from '@/lib/chat/names'
import { excerptOf } from '@/lib/chat/excerpts'
import type { ChatStore } from '@/lib/chat/store'
import { Leader } from '@/lib/live/leader'
import type { LiveSession } from '@/lib/live/session'
import { texts } from '@/lib/text/texts'

interface Shown {
  conversationId: string
  seq: number
  notification: Notification
}

/** Notify of messages until the abort; `open` leads to the conversation that was clicked. */
export function startDesktopNotifications(
  live: LiveSession,
  open: (path: string) => void,
  signal: AbortSignal,
): void {
  const { chat, notificationSettings } = live
  if (signal.aborted) return
  const leader = new Leader(`synctalk.notifications.${chat.me}`, signal)
  let shown: readonly Shown[] = []

  /** Whether the page is hidden and the user may be disturbed. */
  const mayNotify = (): boolean =>
    leader.isLeader &&
    document.visibilityState === 'hidden' &&
    chat.current.presence[chat.me]?.status !== 'dnd'
  const readSeq = (conversationId: string): number => chat.summary(conversationId)?.readSeq ?? 0

  async function notify(message: Message): Promise<void> {
    const { conversation_id: conversationId, seq } = message
    if (!mayNotify()) return
    await notificationSettings.read()
    const all = notificationSettings.known.getState()
    const toMe = isToMe(message, chat.summary(conversationId)?.type ?? 'group', chat.me)
    if (!isWanted(settingsOf(all, conversationId), toMe, Date.now())) return
    if (isQuiet(all.settings.quiet_hours, Date.now())) return
    // Meanwhile the user may have come back, or read it elsewhere.
    if (!mayNotify() || readSeq(conversationId) >= seq) return
    const notification = show(chat, message, all.settings.content ?? 'full', open)
    if (notification !== null) shown = [...shown, { conversationId, seq, notification }]
  }

  function closeRead(): void {
    const read = shown.filter(({ conversationId, seq }) => readSeq(conversationId) >= seq)
    if (read.length === 0) return
    shown = shown.filter((one) => !read.includes(one))
    for (const { notification } of read) notification.close()
  }

  const stops = [live.onMessage((message) => void notify(message)), chat.state.subscribe(closeRead)]
  signal.addEventListener('abort', () => {
    for (const stop of stops) stop()
  })
}

type Content = NonNullable<GlobalNotificationSettings['content']>

function show(
  chat: ChatStore,
  message: Message,
  content: Content,
  open: (path: string) => void,
): Notification | null {
  const conversation = chat.summary(message.conversation_id)
  if (conversation === null) return null
  const sender = nameOf(chat.current.users[message.sender_id])
  const title = conversation.type === 'direct' ? sender : `${sender} · ${titleOf(conversation)}`
  const notification = new Notification(content === 'none' ? texts.product : title, {
    body: content === 'full' ? excerptOf(message) : texts.notifications.newMessage,
    tag: message.id,
    icon: '/icon.svg',
  })
  notification.onclick = () => {
    window.focus()
    open(`/c/${message.conversation_id}`)
    notification.close()
  }
  return notification
}
