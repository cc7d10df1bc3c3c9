/**
 * Whose presence is followed: exactly the people that some view shows. Views say whom they want and when no longer; the
 * difference is told to the server, and all of it again after a reconnect.
 */
import { useEffect } from 'react'
import { dispatch } from '@/lib/chat/store'
import { ask, isLive, say } from '@/lib/socket'

/** What the server allows one socket. */
const MAX_PEOPLE = 200
const SETTLE_MS = 60

const wishes = new Map<string, number>()
let subscribed = new Set<string>()
let timer: ReturnType<typeof setTimeout> | undefined

export function usePresenceOf(userIds: readonly string[]): void {
  const key = userIds.join(',')
  useEffect(() => {
    const ids = key === '' ? [] : key.split(',')
    for (const id of ids) wishes.set(id, (wishes.get(id) ?? 0) + 1)
    settle()
    return () => {
      for (const id of ids) {
        const left = (wishes.get(id) ?? 1) - 1
        if (left > 0) wishes.set(id, left)
        else wishes.delete(id)
      }
      settle()
    }
  }, [key])
}

/** A new connection knows of nobody. */
export function subscribeAgain(): void {
  subscribed = new Set()
  settle()
}

/** They share a conversation with us only now: the earlier answer, that of a stranger, says nothing. */
export function askAgain(userIds: readonly string[]): void {
  for (const id of userIds) subscribed.delete(id)
  settle()
}

function settle(): void {
  timer ??= setTimeout(() => {
    timer = undefined
    void tellDifference()
  }, SETTLE_MS)
}

async function tellDifference(): Promise<void> {
  if (!isLive()) return
  // The latest wishes come first when there are too many: they are what is being looked at.
  const wanted = new Set([...wishes.keys()].reverse().slice(0, MAX_PEOPLE))
  const gone = [...subscribed].filter((id) => !wanted.has(id))
  const added = [...wanted].filter((id) => !subscribed.has(id))
  subscribed = wanted
  if (gone.length > 0) say('presence:unsubscribe', { user_ids: gone })
  if (added.length === 0) return
  try {
    const { items } = await ask('presence:subscribe', { user_ids: added })
    dispatch(...items.map((presence) => ({ type: 'presence' as const, presence })))
  } catch {
    for (const id of added) subscribed.delete(id)
    if (isLive()) setTimeout(settle, RETRY_MS)
  }
}

const RETRY_MS = 5_000
