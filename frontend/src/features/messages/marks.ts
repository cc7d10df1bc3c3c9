/** How far own messages are, and which of them show it unasked: pure. */
import type { Message } from '@synctalk/client/contracts'
import type { Row } from './rows'
import type { SendingMarkState } from './SendingMark'

/** Up to here everybody has got, and read, the messages. */
export interface Reached {
  delivered: number
  read: number
}

export function markOf({ seq }: Pick<Message, 'seq'>, { delivered, read }: Reached): SendingMarkState {
  if (seq <= read) return 'read'
  return seq <= delivered ? 'delivered' : 'sent'
}

/** The last own message of each state, by `seq`: those before it show theirs on hover and focus alone. */
export function lastOfEachState(rows: readonly Row[], me: string, reached: Reached): ReadonlySet<number> {
  const shown = new Set<number>()
  let later: SendingMarkState | null = null
  for (let at = rows.length - 1; at >= 0 && later !== 'read'; at -= 1) {
    const row = rows[at]
    if (row?.kind !== 'message') continue
    const { message } = row
    if (message.sender_id !== me || message.deleted_at !== null) continue
    const state = markOf(message, reached)
    if (state !== later) shown.add(message.seq)
    later = state
  }
  return shown
}
