"""Deletes guests that have been unused for 30 days and are in no conversation; any process may do it.

api is asked, which forgets those first: what dies in between is asked for again, and answered alike.
"""

from dataclasses import dataclass
from datetime import timedelta

import structlog
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres

from synctalk_auth.clients.api import ApiClient
from synctalk_auth.settings import Settings
from synctalk_auth.store import guests

log = structlog.get_logger()

INTERVAL_S = 3600.0
GUESTS_AT_ONCE = 500
NIL_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class GuestCleaning:
    postgres: Postgres
    settings: Settings
    api: ApiClient

    async def clean(self) -> None:
        after: str | None = NIL_ID
        while after is not None:
            after = await self._clean_some(after)

    async def _clean_some(self, after: str) -> str | None:
        """Delete some above this id; return from where to go on."""
        since = utc_now() - timedelta(seconds=self.settings.guest_unused_s)
        async with self.postgres.connection() as conn:
            found = await guests.unused(conn, after, since, GUESTS_AT_ONCE)
        if not found:
            return None
        try:
            forgotten = await self.api.forget_guests(found)
        except UnavailableError:
            log.warning("guests.not_cleaned", guests=len(found))
            return None
        async with self.postgres.connection() as conn:
            await guests.delete(conn, forgotten, since)
        if forgotten:
            log.info("guests.deleted", guests=len(forgotten))
        return found[-1]
