"""The one way in which people's presence changes: mark, commit, announce. Every step may be repeated.

A stop after the commit leaves the mark; then the sweep, or the caller's next try, announces. The order of the
announcements is that of the versions, which the row's lock gives.
"""

from collections.abc import Callable, Sequence

from synctalk_presence import rules
from synctalk_presence.parts import Parts
from synctalk_presence.person import Person
from synctalk_presence.store import people

Change = Callable[[Person], Person]


async def change(parts: Parts, user_ids: Sequence[str], apply: Change, *, arrived: bool = False) -> None:
    """Apply a rule to each, and say what is different now. Raises UnavailableError; trying again is right then."""
    if not user_ids:
        return
    async with parts.postgres.connection() as conn:
        before = await people.read(conn, user_ids)
    await parts.announcements.intend([rules.appearance(person) for person in before.values()])
    differing = [user_id for user_id, person in before.items() if apply(person) != person]
    after = before | await _commit(parts, differing, apply)
    await parts.announcements.announce([rules.appearance(person) for person in after.values()], arrived=arrived)


async def _commit(parts: Parts, user_ids: Sequence[str], apply: Change) -> dict[str, Person]:
    if not user_ids:
        return {}
    async with parts.postgres.transaction() as conn:
        locked = await people.lock(conn, user_ids)
        changed = [apply(person) for person in locked]
        await people.save(conn, [new for old, new in zip(locked, changed, strict=True) if new != old])
    return {person.user_id: person for person in changed}
