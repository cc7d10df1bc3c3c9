/** What views read of the session: the store by selectors, and what they need subscribed or loaded while shown. */
import { useEffect, useMemo } from 'react'
import { useStore } from 'zustand'
import type { Message, NotificationSettings, PresenceStatus, User } from '@synctalk/client/contracts'
import { settingsOf } from '@synctalk/client/chat/attention'
import { closedBecause, type Closed } from '@synctalk/client/chat/closed'
import type { ChatState, Thread } from '@synctalk/client/chat/state'
import { threadIn } from '@synctalk/client/chat/store'
import { inOrder, withWaiting, type Summary } from '@synctalk/client/chat/summaries'
import type { ConnectionState } from '@synctalk/client/live/connection'
import { useNow } from './page'
import { useLive } from './session'

const NO_TYPISTS: Readonly<Record<string, number>> = {}

export const useChat = <T>(selector: (state: ChatState) => T): T => useStore(useLive().chat.state, selector)
export const useThread = (id: string): Thread => useChat((state) => threadIn(state, id))
export function useSummary(id: string): Summary | null {
  const { summaries } = useLive().chat
  return useChat((state) => summaries.of(threadIn(state, id)))
}
export const useMe = (): string => useLive().chat.me

export const useConnection = <T>(selector: (state: ConnectionState) => T): T =>
  useStore(useLive().connection.state, selector)
export const useCutOff = (): boolean => useStore(useLive().cutOff, (state) => state.cutOff)

export const useDraft = (conversationId: string): string | undefined =>
  useStore(useLive().drafts.texts, (texts) => texts[conversationId])

export const useReplyTo = (conversationId: string): string | null =>
  useStore(useLive().drafts.replies, (replies) => replies[conversationId]) ?? null

/** Return the notification settings that hold in a conversation. */
export function useNotificationSettings(conversationId: string): NotificationSettings {
  const all = useStore(useLive().notificationSettings.known)
  return useMemo(() => settingsOf(all, conversationId), [all, conversationId])
}

/** Return whether one has blocked the user; read when it is first wanted. */
export function useBlocked(userId: string | null): boolean {
  const { blocks } = useLive()
  useEffect(() => {
    // Should it fail, sending says so.
    if (userId !== null) blocks.load().catch(() => undefined)
  }, [blocks, userId])
  return useStore(blocks.blocked, ({ ids }) => userId !== null && ids?.has(userId) === true)
}

/** Return why one cannot write in the conversation now; null: one can. */
export function useClosed(summary: Summary): Closed | null {
  const blocked = useBlocked(summary.peer?.id ?? null)
  return closedBecause(summary, blocked, useNow())
}

/** Return all conversations, newest activity first. */
export function useConversations(): Summary[] {
  const { summaries: cached } = useLive().chat
  const threads = useChat((state) => state.threads)
  const outgoing = useChat((state) => state.outgoing)
  return useMemo(() => {
    const summaries = Object.values(threads).map((thread) => cached.of(thread))
    const known = summaries.filter((summary) => summary !== null)
    return inOrder(known.map((summary) => withWaiting(summary, outgoing[summary.id])))
  }, [threads, outgoing, cached])
}

/** Return the ids of the others who are typing in a conversation or, by `placeOf`, in one of its threads. */
export function useTypists(place: string): string[] {
  const me = useMe()
  const typing = useChat((state) => state.typing[place] ?? NO_TYPISTS)
  return Object.keys(typing).filter((id) => id !== me)
}

/** Return a user by id, loaded when not known yet. */
export function useUser(id: string | null): User | undefined {
  const { freshness } = useLive()
  const user = useChat((state) => (id === null ? undefined : state.users[id]))
  const isUnknown = id !== null && id !== '' && user === undefined
  useEffect(() => {
    if (isUnknown) freshness.wantUser(id)
  }, [freshness, id, isUnknown])
  return user
}

/** Return a message by id, loaded when it is not at hand; a new connection retries what failed. */
export function useMessage(conversationId: string, id: string | null): Message | undefined {
  const { chat, loader } = useLive()
  const message = useChat((state) =>
    id === null ? undefined : chat.index.find(threadIn(state, conversationId), id),
  )
  const connection = useConnection((state) => (state.state === 'live' ? state.connectionId : null))
  const missing = message === undefined
  useEffect(() => {
    if (id !== null && missing) loader.loadMessage(conversationId, id).catch(() => undefined)
  }, [loader, conversationId, id, missing, connection])
  return message
}

/** Subscribe to the presence of these users while the view is shown. */
export function usePresenceOf(userIds: readonly string[]): void {
  const { presence } = useLive()
  const key = userIds.join(',')
  useEffect(() => presence.want(key === '' ? [] : key.split(',')), [presence, key])
}

/** Return one's own status as others see it; who is connected and yet offline is invisible. */
export function useOwnStatus(): PresenceStatus {
  const me = useMe()
  usePresenceOf([me])
  const status = useChat((state) => state.presence[me]?.status)
  const isLive = useConnection((state) => state.state === 'live')
  return isLive ? (status ?? 'online') : 'offline'
}
