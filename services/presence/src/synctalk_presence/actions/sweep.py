"""The sweep: decides who has left and who is idle, some users at a time, in whichever process comes first.

PostgreSQL is written first (last seen), then the event is published. A claimed user that was not finished comes again.
"""

import time

from prometheus_client import Gauge
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres

from synctalk_presence import rules
from synctalk_presence.actions.changes import Changes
from synctalk_presence.settings import Settings
from synctalk_presence.store import users
from synctalk_presence.store.leases import Leases
from synctalk_presence.user_presence import UserPresence

OVERDUE = Gauge("presence_overdue", "Users who wait for the sweep beyond the batch that it has taken.")


class Sweep:
    """The step of the sweep's loop; now and then it also searches for users whose leases were lost with Redis."""

    def __init__(self, postgres: Postgres, leases: Leases, changes: Changes, settings: Settings) -> None:
        self._postgres = postgres
        self._leases = leases
        self._changes = changes
        self._scrub_batch = settings.scrub_batch
        self._scrub_interval_s = settings.scrub_interval_s
        self._cursor = users.FIRST
        self._scrub_at = 0.0
        self._begun = False

    async def step(self) -> bool:
        """Decide about the users who are due; return whether there are more. Raises UnavailableError."""
        if not self._begun:
            await self._begin()
        more = await self._decide()
        if time.monotonic() >= self._scrub_at:
            await self._scrub()
            self._scrub_at = time.monotonic() + self._scrub_interval_s
        return more

    async def _begin(self) -> None:
        async with self._postgres.connection() as conn:
            anyone = await users.connected_after(conn, users.FIRST, 1)
        if not anyone:
            await self._leases.begin()
        self._begun = True

    async def _decide(self) -> bool:
        taken, more = await self._leases.take()
        OVERDUE.set(await self._leases.overdue() if more else 0)
        if not taken:
            return False
        # Versions are read before the leases: a user who arrives after that has a newer one, and is not sent off.
        async with self._postgres.connection() as conn:
            read = await users.read(conn, taken)
        statuses = await self._leases.settle(taken)
        now = utc_now()
        seen_at = {s.user_id: s.seen_at or now for s in statuses if s.gone}

        def departed(user: UserPresence) -> UserPresence:
            return rules.departed(user, read[user.user_id].version, seen_at[user.user_id])

        await self._changes.apply(list(seen_at), departed)
        arrived = [s.user_id for s in statuses if s.live and not s.counted]
        await self._changes.apply(arrived, rules.arrived, arrived=True)
        turned = {s.user_id: s.turned for s in statuses if s.counted and s.turned is not None}
        await self._changes.apply(list(turned), lambda user: rules.turned(user, idle=turned[user.user_id]))
        pending = [s.user_id for s in statuses if s.pending and s.counted and not s.gone and s.user_id not in turned]
        await self._changes.apply(pending, _unchanged)
        return more

    async def _scrub(self) -> None:
        """Plan a look at a page of those who count as connected and whose leases are gone."""
        async with self._postgres.connection() as conn:
            page = await users.connected_after(conn, self._cursor, self._scrub_batch)
        await self._leases.watch(page)
        self._cursor = page[-1] if len(page) == self._scrub_batch else users.FIRST


def _unchanged(user: UserPresence) -> UserPresence:
    return user
