"""The one way in which the presence of users changes: mark, commit, publish. Every step may be repeated.

A process that stops after the commit leaves the mark; then the sweep, or the caller's retry, publishes. Events are in
the order of the versions, which the row's lock gives.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from synctalk_runtime.postgres import Postgres

from synctalk_presence import rules
from synctalk_presence.store import users
from synctalk_presence.store.announcements import Announcements
from synctalk_presence.user_presence import UserPresence

Change = Callable[[UserPresence], UserPresence]


@dataclass(frozen=True, slots=True)
class Changes:
    postgres: Postgres
    announcements: Announcements

    async def apply(self, user_ids: Sequence[str], change: Change, *, arrived: bool = False) -> None:
        """Apply a rule to each user and publish what is different. Raises UnavailableError: try again."""
        if not user_ids:
            return
        async with self.postgres.connection() as conn:
            before = await users.read(conn, user_ids)
        await self.announcements.intend([rules.appearance(user) for user in before.values()])
        differing = [user_id for user_id, user in before.items() if change(user) != user]
        after = before | await self._commit(differing, change)
        await self.announcements.announce([rules.appearance(user) for user in after.values()], arrived=arrived)

    async def _commit(self, user_ids: Sequence[str], change: Change) -> dict[str, UserPresence]:
        if not user_ids:
            return {}
        async with self.postgres.transaction() as conn:
            locked = await users.lock(conn, user_ids)
            changed = [change(user) for user in locked]
            await users.save(conn, [new for old, new in zip(locked, changed, strict=True) if new != old])
        return {user.user_id: user for user in changed}
