/** Desktop notifications: shown by one tab for all, and closed when their message is read anywhere. */
import type { GlobalNotificationSettings, Message } from '@/contracts'
import { isQuiet, isToMe, isWanted, settingsOf } from '@/lib/chat/attention'
import { nameOf, titleOf } from '@/lib/chat/names'
import { excerptOf } from '@/lib/chat/excerpts'
import { isThreadOnly, pathOf } from '@/lib/chat/replies'
import type { ChatStore } from '@/lib/chat/store'
import { Leader } from '@/lib/live/leader'
import type { LiveSession } from '@/lib/live/session'
import { texts } from '@/lib/text/texts'

interface Shown {
  message: Message
  notification: Notification
}

/** Notify of messages until the abort; `open` leads to the conversation that was clicked. */
export function startDesktopNotifications(
  live: LiveSession,
  open: (path: string) => void,
  signal: AbortSignal,
): void {
  const { chat, notificationSettings, threads } = live
  if (signal.aborted) return
  const leader = new Leader(`synctalk.notifications.${chat.me}`, signal)
  let shown: readonly Shown[] = []

  /** Whether the page is hidden and the user may be disturbed. */
  const mayNotify = (): boolean =>
    leader.isLeader &&
    document.visibilityState === 'hidden' &&
    chat.current.presence[chat.me]?.status !== 'dnd'
  /** A reply is read in its thread; what is also in the conversation, there too. */
  const isRead = (message: Message): boolean => {
    const { conversation_id, thread_id, seq } = message
    const inThread = thread_id == null ? 0 : (threads.known.getState()[thread_id]?.read_seq ?? 0)
    const inConversation = isThreadOnly(message) ? 0 : (chat.summary(conversation_id)?.readSeq ?? 0)
    return Math.max(inThread, inConversation) >= seq
  }
  /** A reply in a thread alone is for those who follow it, and whom it mentions. */
  const concerns = async (message: Message): Promise<boolean> => {
    if (message.thread_id == null || !isThreadOnly(message) || message.mentions.includes(chat.me)) return true
    await threads.load()
    return threads.known.getState()[message.thread_id]?.following === true
  }

  async function notify(message: Message): Promise<void> {
    const { conversation_id: conversationId } = message
    if (!mayNotify()) return
    await notificationSettings.read()
    if (!(await concerns(message))) return
    const all = notificationSettings.known.getState()
    const toMe = isToMe(message, chat.summary(conversationId)?.type ?? 'group', chat.me)
    if (!isWanted(settingsOf(all, conversationId), toMe, Date.now())) return
    if (isQuiet(all.settings.quiet_hours, Date.now())) return
    // Meanwhile the user may have come back, or read it elsewhere.
    if (!mayNotify() || isRead(message)) return
    const notification = show(chat, message, all.settings.content ?? 'full', open)
    if (notification !== null) shown = [...shown, { message, notification }]
  }

  function closeRead(): void {
    const read = shown.filter(({ message }) => isRead(message))
    if (read.length === 0) return
    shown = shown.filter((one) => !read.includes(one))
    for (const { notification } of read) notification.close()
  }

  const stops = [
    live.onMessage((message) => void notify(message)),
    chat.state.subscribe(closeRead),
    threads.known.subscribe(closeRead),
  ]
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
    open(isThreadOnly(message) ? pathOf(message) : `/c/${message.conversation_id}`)
    notification.close()
  }
  return notification
}
