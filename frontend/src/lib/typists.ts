import { useChat } from '@/lib/chat/store'
import { texts } from '@/lib/text/texts'

const NOBODY: Readonly<Record<string, number>> = {}

/** Who is typing there, oneself left out. */
export function useTypists(conversationId: string): string[] {
  const typing = useChat((state) => state.typing[conversationId] ?? NOBODY)
  const me = useChat((state) => state.me)
  return Object.keys(typing).filter((id) => id !== me)
}

/** "Ada and two others are typing". */
export function typistsInWords(names: readonly string[]): string | null {
  const [first] = names
  if (first === undefined) return null
  if (names.length === 1) return texts.typing.one(first)
  return names.length === 2 ? texts.typing.some(names) : texts.typing.many(first, names.length - 1)
}
