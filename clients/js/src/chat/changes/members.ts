import type { MemberChange } from '../../contracts.js'
import type { MemberState } from '../state.js'
import type { ChangeOf } from './change.js'
import { removeConversation } from './conversations.js'
import type { Draft } from './draft.js'
import { markSeen, predatesRemoval } from './progress.js'
import { raiseMarks } from './receipts.js'
import { endTyping } from './typing.js'
import { mergeUsers } from './users.js'

export function mergeMemberEvent(draft: Draft, change: ChangeOf<'member'>): void {
  const { conversation_id: id, user_id, role, muted_until = null, change_seq } = change
  if (predatesRemoval(draft.peek(id).removedAt, change_seq)) return
  if (user_id === draft.me && role === null) return removeConversation(draft, id, change_seq)
  mergeMember(draft, id, { user_id, role, joined_at: null, muted_until, change_seq })
  if (role === null) endTyping(draft, id, user_id)
  markSeen(draft, id, change_seq)
}

export function mergeMemberPage(draft: Draft, change: ChangeOf<'members'>): void {
  const { conversation_id: id, members, asOf, complete } = change
  if (draft.peek(id).removedAt !== null) return
  mergeMembers(
    draft,
    id,
    members.map((member) => ({ ...member, change_seq: asOf })),
  )
  if (complete === null) return
  const thread = draft.thread(id)
  thread.membersLoaded = true
  thread.marksReadAt = Math.max(thread.marksReadAt, complete.marksMissed)
}

/** Merge members with their users and read marks. */
export function mergeMembers(draft: Draft, id: string, members: readonly MemberChange[]): void {
  mergeUsers(
    draft,
    members.map((member) => member.user),
  )
  for (const { user, role, joined_at, muted_until = null, change_seq, ...marks } of members) {
    mergeMember(draft, id, { user_id: user.id, role, joined_at, muted_until, change_seq })
    raiseMarks(draft, id, user.id, marks)
  }
}

function mergeMember(draft: Draft, id: string, member: MemberState): void {
  const known = draft.peek(id).members[member.user_id]
  if (known !== undefined && known.change_seq > member.change_seq) return
  const joined_at = member.joined_at ?? known?.joined_at ?? null
  const thread = draft.thread(id)
  thread.members = { ...thread.members, [member.user_id]: { ...member, joined_at } }
}
