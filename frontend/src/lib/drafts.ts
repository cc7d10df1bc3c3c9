/**
 * What was begun and not sent, per conversation. In localStorage, which is written at once even as the page closes; by
 * person, so that a session that ends loses nothing. The composer holds the live text, this holds what outlives it.
 */
import { create } from 'zustand'

/** Older drafts beyond this many are let go. */
const MAX_DRAFTS = 200
const keyOf = (userId: string): string => `synctalk.drafts.${userId}`

interface Drafts {
  userId: string | null
  texts: Readonly<Record<string, string>>
}

export const useDrafts = create<Drafts>(() => ({ userId: null, texts: {} }))

function read(userId: string): Record<string, string> {
  try {
    return JSON.parse(localStorage.getItem(keyOf(userId)) ?? '{}') as Record<string, string>
  } catch {
    return {}
  }
}

/** Take up this person's drafts, and follow what other tabs write. */
export function openDrafts(userId: string): () => void {
  useDrafts.setState({ userId, texts: read(userId) })
  const onStorage = (event: StorageEvent): void => {
    if (event.key === keyOf(userId)) useDrafts.setState({ texts: read(userId) })
  }
  window.addEventListener('storage', onStorage)
  return () => {
    window.removeEventListener('storage', onStorage)
    useDrafts.setState({ userId: null, texts: {} })
  }
}

export function saveDraft(conversationId: string, text: string): void {
  const { userId, texts } = useDrafts.getState()
  if (userId === null || (texts[conversationId] ?? '') === text) return
  const { [conversationId]: _old, ...others } = texts
  const next = text.trim() === '' ? others : { ...others, [conversationId]: text }
  useDrafts.setState({ texts: next })
  try {
    localStorage.setItem(
      keyOf(userId),
      JSON.stringify(Object.fromEntries(Object.entries(next).slice(-MAX_DRAFTS))),
    )
  } catch {
    // A full or forbidden storage: the draft lives as long as the page.
  }
}

export const draftOf = (conversationId: string): string => useDrafts.getState().texts[conversationId] ?? ''

export const eraseDrafts = (userId: string): void => localStorage.removeItem(keyOf(userId))
