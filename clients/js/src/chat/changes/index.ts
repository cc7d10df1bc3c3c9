/**
 * Applies changes to the state, whether they came live, by `sync`, from a page of history or from an own action.
 *
 * `applyChanges` is pure. Applying a change twice, late, or in another order ends in the same state; the tests beside
 * this file check it in random sequences. A batch copies what it touches once, however many changes it has.
 */
import { placeOf } from '../replies.js'
import type { ChatState } from '../state.js'
import type { Change } from './change.js'
import { mergeConversation, removeConversation } from './conversations.js'
import { Draft } from './draft.js'
import { mergeMemberEvent, mergeMemberPage } from './members.js'
import { mergeHistory, mergeMessage } from './messages.js'
import { dropOutgoing, putOutgoing } from './outgoing.js'
import { markSeen } from './progress.js'
import { countMissedReceipts, raiseMarks } from './receipts.js'
import { addDelta } from './streams.js'
import { mergeSync, reset } from './sync.js'
import { mergeHead } from './threads.js'
import { expireTyping, setTyping } from './typing.js'
import { mergeUsers } from './users.js'

export type { Change }

export function applyChanges(state: ChatState, changes: readonly Change[]): ChatState {
  if (changes.length === 0) return state
  const draft = new Draft(state)
  for (const change of changes) apply(draft, change)
  return draft.state
}

function apply(draft: Draft, change: Change): void {
  switch (change.type) {
    case 'conversation':
      mergeConversation(draft, change.conversation)
      if (change.live) markSeen(draft, change.conversation.id, change.conversation.change_seq)
      return
    case 'removed':
      return removeConversation(draft, change.conversation_id, change.change_seq)
    case 'message':
      mergeMessage(draft, change.message)
      return markSeen(draft, change.message.conversation_id, change.message.change_seq)
    case 'head':
      return mergeHead(draft, change)
    case 'delta':
      return addDelta(draft, change)
    case 'history':
      return mergeHistory(draft, change)
    case 'member':
      return mergeMemberEvent(draft, change)
    case 'members':
      return mergeMemberPage(draft, change)
    case 'synced':
      return mergeSync(draft, change)
    case 'reset':
      return reset(draft, change)
    case 'receipt':
      return raiseMarks(draft, change.conversation_id, change.user_id, change)
    case 'receipts_missed':
      return countMissedReceipts(draft, change.conversation_ids)
    case 'typing':
      return setTyping(draft, placeOf(change.conversation_id, change.thread_id), change.user_id, change.until)
    case 'clock':
      return expireTyping(draft, change.now)
    case 'presence':
      draft.state.presence = { ...draft.state.presence, [change.presence.user_id]: change.presence }
      return
    case 'users':
      return mergeUsers(draft, change.users)
    case 'outgoing':
      return putOutgoing(draft, change.item)
    case 'withdrawn':
      return dropOutgoing(draft, change.conversation_id, change.client_message_id)
    case 'listed':
      draft.state.listed = true
      return
  }
}
