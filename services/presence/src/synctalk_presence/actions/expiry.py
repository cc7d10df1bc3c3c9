"""The end of custom statuses: cleared and published, in whichever process comes first; readers need not wait for it."""

from dataclasses import dataclass

from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres

from synctalk_presence import rules
from synctalk_presence.actions.changes import Changes
from synctalk_presence.store import users

BATCH = 200


@dataclass(frozen=True, slots=True)
class StatusExpiry:
    postgres: Postgres
    changes: Changes

    async def step(self) -> bool:
        """Clear what has ended; return whether there is more. Raises UnavailableError."""
        now = utc_now()
        async with self.postgres.connection() as conn:
            ended = await users.expired(conn, now, BATCH)
        await self.changes.apply(ended, lambda user: rules.expired(user, now))
        return len(ended) == BATCH
