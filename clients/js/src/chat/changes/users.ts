import type { User } from '../../contracts.js'
import type { Draft } from './draft.js'

/** Take users as they are now, wherever they are shown. Who did not change stays the same object. */
export function mergeUsers(draft: Draft, users: readonly User[]): void {
  const known = draft.state.users
  const changed = users.filter((user) => !isSame(known[user.id], user))
  if (changed.length === 0) return
  const merged = { ...known }
  for (const user of changed) merged[user.id] = user
  draft.state.users = merged
  updatePeers(
    draft,
    new Map(changed.filter(({ id }) => known[id] !== undefined).map((user) => [user.id, user])),
  )
}

/** Direct conversations carry the name and the picture of their peer. */
function updatePeers(draft: Draft, changed: ReadonlyMap<string, User>): void {
  if (changed.size === 0) return
  for (const [id, { snapshot }] of Object.entries(draft.state.threads)) {
    const peer = snapshot?.peer && changed.get(snapshot.peer.id)
    if (snapshot === null || peer == null || isSame(snapshot.peer ?? undefined, peer)) continue
    draft.thread(id).snapshot = { ...snapshot, peer }
  }
}

const isSame = (a: User | undefined, b: User): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)
