import type { Draft } from './draft'

/** Set until when a member counts as typing; null ends it. */
export function setTyping(draft: Draft, id: string, userId: string, until: number | null): void {
  const { [userId]: current, ...others } = draft.state.typing[id] ?? {}
  if (until === null && current === undefined) return
  draft.state.typing = {
    ...draft.state.typing,
    [id]: until === null ? others : { ...others, [userId]: until },
  }
}

export function expireTyping(draft: Draft, now: number): void {
  for (const [id, typists] of Object.entries(draft.state.typing)) {
    for (const [userId, until] of Object.entries(typists)) {
      if (until <= now) setTyping(draft, id, userId, null)
    }
  }
}
