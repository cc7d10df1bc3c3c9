/**
 * Notifications while a page is open: shown by one tab for all, and withdrawn when their message is read anywhere. This
 * browser gets no push of what its open page received; those of a closed page are shown by the service worker.
 */
import type { GlobalNotificationSettings, Message } from '@synctalk/client/contracts'
import { isQuiet, isToMe, isWanted, settingsOf } from '@synctalk/client/chat/attention'
import { nameOf, titleOf } from '@/lib/chat/names'
import { excerptOf } from '@/lib/chat/excerpts'
import { isThreadOnly } from '@synctalk/client/chat/replies'
import type { ChatStore } from '@synctalk/client/chat/store'
import { Leader } from '@synctalk/client/live/leader'
import type { LiveSession } from '@synctalk/client/live/session'
import type { Notice } from '@/lib/push/notice'
import { subscribe } from '@synctalk/client/push/subscription'
import { activeWorker } from '@/lib/push/worker'
import { inUse } from '@/lib/text/inUse'
import { texts } from '@/lib/text/texts'
import { PageNotices, WorkerNotices, type Notices } from './notices'

/** Notify of messages until the abort; `open` leads to the conversation that was clicked. */
export function startDesktopNotifications(
  live: LiveSession,
  open: (path: string) => void,
  signal: AbortSignal,
): void {
  const { chat, notificationSettings, threads } = live
  if (signal.aborted) return
  const leader = new Leader(`synctalk.notifications.${chat.me}`, signal)
  const notices = startNotices(live, open, signal)

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
    const [shownBy] = await Promise.all([notices, notificationSettings.read()])
    if (!(await concerns(message))) return
    const all = notificationSettings.known.getState()
    const toMe = isToMe(message, chat.summary(conversationId)?.type ?? 'group', chat.me)
    if (!isWanted(settingsOf(all, conversationId), toMe, Date.now())) return
    if (isQuiet(all.settings.quiet_hours, Date.now())) return
    // Meanwhile the user may have come back, or read it elsewhere.
    if (!mayNotify() || isRead(message)) return
    const notice = noticeOf(chat, message, all.settings.content ?? 'full')
    if (notice !== null) shownBy.show(notice)
  }

  /** By conversation and thread, up to where notifications were withdrawn. */
  const withdrawn = new Map<string, number>()
  async function withdrawRead(): Promise<void> {
    const places = [
      ...Object.keys(chat.current.threads).map((id) => [id, chat.summary(id)?.readSeq ?? 0] as const),
      ...Object.entries(threads.known.getState()).map(([id, thread]) => [id, thread.read_seq] as const),
    ]
    const read = places.filter(([place, seq]) => seq > (withdrawn.get(place) ?? 0))
    if (read.length === 0) return
    for (const [place, seq] of read) withdrawn.set(place, seq)
    const shownBy = await notices
    for (const [place, seq] of read) shownBy.withdraw(place, seq)
  }

  const stops = [
    live.onMessage((message) => void notify(message)),
    chat.state.subscribe(() => void withdrawRead()),
    threads.known.subscribe(() => void withdrawRead()),
  ]
  void withdrawRead()
  signal.addEventListener('abort', () => {
    for (const stop of stops) stop()
  })
}

/** By the worker, which then takes pushes too, or else by the page. */
async function startNotices(
  live: LiveSession,
  open: (path: string) => void,
  signal: AbortSignal,
): Promise<Notices> {
  const registration = await activeWorker()
  if (registration === null) return new PageNotices(open)
  navigator.serviceWorker.addEventListener(
    'message',
    ({ data }: MessageEvent<{ type?: string; path?: string } | null>) => {
      if (data?.type === 'open' && data.path !== undefined) open(data.path)
    },
    { signal },
  )
  // Without a push service, here or at the server, the page notifies for as long as it is open.
  if (!signal.aborted) subscribe(live.rest, registration, inUse.locale).catch(() => undefined)
  registration.active?.postMessage({ type: 'language', language: inUse.language })
  return new WorkerNotices(registration)
}

type Content = NonNullable<GlobalNotificationSettings['content']>

function noticeOf(chat: ChatStore, message: Message, content: Content): Notice | null {
  const conversation = chat.summary(message.conversation_id)
  if (conversation === null) return null
  const sender = nameOf(chat.current.users[message.sender_id])
  const title = conversation.type === 'direct' ? sender : `${sender} · ${titleOf(conversation)}`
  return {
    title: content === 'none' ? texts.product : title,
    body: content === 'full' ? excerptOf(message) : texts.notifications.newMessage,
    kept: {
      conversation_id: message.conversation_id,
      thread_id: isThreadOnly(message) ? (message.thread_id ?? '') : '',
      seq: message.seq,
    },
  }
}
