/** What `public/first.js` requested before this page's own code was there. */
import type { Conversation, Tokens } from './contracts.js'
import type { Page } from './http.js'

interface EarlyTokens {
  tokens: Tokens
  /** When they were requested. */
  at: number
}

declare global {
  interface Window {
    synctalkEarly?: {
      userId: string
      renewed?: Promise<EarlyTokens | null>
      conversations?: Promise<Page<Conversation> | null>
    }
  }
}

/** Return the tokens of this page load, once. Null: request them. */
export async function earlyTokens(): Promise<EarlyTokens | null> {
  const early = window.synctalkEarly
  const renewed = early?.renewed
  delete early?.renewed
  return (await renewed) ?? null
}

/** Return the first page of this user's conversations, once, as it grows old. Null: request it. */
export async function earlyConversations(userId: string): Promise<Page<Conversation> | null> {
  const early = window.synctalkEarly
  const conversations = early?.conversations
  delete early?.conversations
  return early?.userId === userId ? ((await conversations) ?? null) : null
}
