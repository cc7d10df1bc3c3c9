import { createContext, useContext } from 'react'
import type { Message } from '@/contracts'
import type { Outgoing } from '@/lib/chat/state'

/** What can be done with the messages of the conversation in view. The object stays the same, so that no row is drawn anew. */
export interface MessageActions {
  /** Answer this message with what is written next. */
  reply: (message: Message) => void
  edit: (message: Message) => void
  remove: (message: Message) => void
  /** Report it to the operators. */
  report: (message: Message) => void
  takeBack: (item: Outgoing) => void
  /** Add this reaction, or take it back where it is one's own. */
  react: (message: Message, emoji: string) => void
  showReactions: (message: Message) => void
  /** Go to a message, wherever it is in the history. */
  jumpTo: (message: Message) => void
}

export const MessageActionsContext = createContext<MessageActions | null>(null)

export function useMessageActions(): MessageActions {
  const actions = useContext(MessageActionsContext)
  if (actions === null) throw new Error('There is no MessageActionsContext here.')
  return actions
}
