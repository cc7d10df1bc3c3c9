import type { Draft } from './draft.js'

/** Set until when a member counts as typing in a place (`placeOf`); null ends it. */
export function setTyping(draft: Draft, place: string, userId: string, until: number | null): void {
  const { [userId]: current, ...others } = draft.state.typing[place] ?? {}
  if (until === null && current === undefined) return
  draft.state.typing = {
    ...draft.state.typing,
    [place]: until === null ? others : { ...others, [userId]: until },
  }
}

/** End the typing of who is gone, in the conversation and in its threads. */
export function endTyping(draft: Draft, id: string, userId: string): void {
  for (const place of placesOf(draft, id)) setTyping(draft, place, userId, null)
}

/** Forget who types in a conversation that is gone. */
export function dropTyping(draft: Draft, id: string): void {
  const places = new Set(placesOf(draft, id))
  const kept = Object.entries(draft.state.typing).filter(([place]) => !places.has(place))
  draft.state.typing = Object.fromEntries(kept)
}

export function expireTyping(draft: Draft, now: number): void {
  for (const [place, typists] of Object.entries(draft.state.typing)) {
    for (const [userId, until] of Object.entries(typists)) {
      if (until <= now) setTyping(draft, place, userId, null)
    }
  }
}

const placesOf = (draft: Draft, id: string): string[] =>
  Object.keys(draft.state.typing).filter((place) => place === id || place.startsWith(`${id}/`))
