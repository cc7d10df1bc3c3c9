import { createContext, useContext } from 'react'
import type { File as StoredFile, Message } from '@synctalk/client/contracts'
import type { Closed } from '@synctalk/client/chat/closed'
import type { Outgoing } from '@synctalk/client/chat/state'

/** What can be done with the messages of the conversation in view. The object stays the same, so that no row is drawn anew. */
export interface MessageActions {
  /** Answer this message with what is written next. */
  reply: (message: Message) => void
  /** Open the thread of this message; null within a thread. */
  openThread: ((message: Message) => void) | null
  edit: (message: Message) => void
  remove: (message: Message) => void
  /** Report it to the operators. */
  report: (message: Message) => void
  takeBack: (item: Outgoing) => void
  /** Add this reaction, or take it back where it is one's own. */
  react: (message: Message, emoji: string) => void
  showReactions: (message: Message) => void
  /** Show these pictures over everything, this one first. */
  showPicture: (pictures: readonly StoredFile[], index: number) => void
  pin: (message: Message, on: boolean) => void
  forward: (message: Message) => void
  showRevisions: (message: Message) => void
  /** Mark the conversation as unread, and leave it. */
  markUnread: () => void
  /** Choose a day to go to; this one is shown first. */
  chooseDate: (iso: string) => void
  /** Go to a message, wherever it is in the history. */
  jumpTo: (message: Message) => void
}

/** Why nothing can be sent in the conversation of the messages within; null: something can. */
export const ClosedContext = createContext<Closed['why'] | null>(null)

export const MessageActionsContext = createContext<MessageActions | null>(null)

export function useMessageActions(): MessageActions {
  const actions = useContext(MessageActionsContext)
  if (actions === null) throw new Error('There is no MessageActionsContext here.')
  return actions
}
