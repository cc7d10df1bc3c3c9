import type { User } from '@/contracts'
import type { Draft } from './draft'

export function mergeUsers(draft: Draft, users: readonly User[]): void {
  const merged = { ...draft.state.users }
  for (const user of users) merged[user.id] = user
  draft.state.users = merged
}

/** Update the direct conversations of these users, which carry their name and picture. */
export function updatePeers(draft: Draft, users: readonly User[]): void {
  const byId = new Map(users.map((user) => [user.id, user]))
  for (const [id, { snapshot }] of Object.entries(draft.state.threads)) {
    const peer = snapshot?.peer && byId.get(snapshot.peer.id)
    if (snapshot === null || peer == null || looksSame(peer, snapshot.peer)) continue
    draft.thread(id).snapshot = { ...snapshot, peer }
  }
}

const looksSame = (a: User, b: User | null): boolean =>
  a.display_name === b?.display_name && a.avatar_url === b.avatar_url
