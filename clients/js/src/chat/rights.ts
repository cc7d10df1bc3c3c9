/** Who may do what in a conversation: the table of docs/rights.md. Views offer what the server will allow. Pure. */
import type { Conversation, Role } from '../contracts.js'

/** `small`: in a group of up to 20. `below`: to users of lower roles. */
type Reach = 'no' | 'small' | 'below' | 'yes'

/** Ascending. */
export const ROLES: readonly Role[] = ['member', 'moderator', 'admin', 'owner']
const SMALL_GROUP = 20

/** In a direct conversation; then in a group, by role. */
type Right = readonly [direct: Reach, member: Reach, moderator: Reach, admin: Reach, owner: Reach]

export const RIGHTS = {
  addMembers: ['no', 'yes', 'yes', 'yes', 'yes'],
  leave: ['no', 'yes', 'yes', 'yes', 'yes'],
  changeDetails: ['no', 'no', 'no', 'yes', 'yes'],
  describe: ['no', 'no', 'yes', 'yes', 'yes'],
  archive: ['no', 'no', 'no', 'yes', 'yes'],
  sendAsAdmin: ['yes', 'no', 'yes', 'yes', 'yes'],
  sendAtOnce: ['yes', 'no', 'yes', 'yes', 'yes'],
  setRoles: ['no', 'no', 'no', 'no', 'yes'],
  removeMember: ['no', 'no', 'no', 'below', 'below'],
  deleteMessage: ['no', 'no', 'below', 'yes', 'yes'],
  mentionAll: ['no', 'small', 'yes', 'yes', 'yes'],
  pin: ['yes', 'small', 'yes', 'yes', 'yes'],
  seeRevisions: ['no', 'no', 'yes', 'yes', 'yes'],
  invite: ['no', 'no', 'no', 'yes', 'yes'],
  deleteGroup: ['no', 'no', 'no', 'no', 'yes'],
  ban: ['no', 'no', 'below', 'below', 'below'],
  mute: ['no', 'no', 'below', 'below', 'below'],
} as const satisfies Record<string, Right>

export type Operation = keyof typeof RIGHTS

/** An archived one can be read and left; who and what is in it may go, and nothing else changes. */
const IN_ARCHIVE: ReadonlySet<Operation> = new Set<Operation>([
  'leave',
  'archive',
  'removeMember',
  'deleteMessage',
  'seeRevisions',
  'deleteGroup',
  'ban',
])

/** What of a conversation decides, for the user who asks. */
export interface Place {
  type: Conversation['type']
  role: Role
  membersCount: number
  archivedAt: string | null
}

function reachOf(operation: Operation, { type, role, archivedAt }: Place): Reach {
  if (archivedAt !== null && !IN_ARCHIVE.has(operation)) return 'no'
  return RIGHTS[operation][type === 'direct' ? 0 : 1 + ROLES.indexOf(role)] ?? 'no'
}

/** Whether one may do it at all. */
export function may(operation: Operation, place: Place): boolean {
  const reach = reachOf(operation, place)
  return reach === 'small' ? place.membersCount <= SMALL_GROUP : reach !== 'no'
}

/** Whether one may do it to a user of that role. */
export function mayTo(operation: Operation, place: Place, other: Role): boolean {
  const reach = reachOf(operation, place)
  return reach === 'yes' || (reach === 'below' && ROLES.indexOf(other) < ROLES.indexOf(place.role))
}
