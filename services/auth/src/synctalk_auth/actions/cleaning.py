"""Removes what has ended, in bounded statements, so that nothing waits long for it; any process may do it.

Sessions that are too old or too long unused are ended, with an event for each. Ended sessions and expired tokens are
deleted, and so are sign-ins with identity providers that came to nothing.
"""

from dataclasses import dataclass
from datetime import timedelta

from synctalk_runtime.ids import utc_now
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Postgres

from synctalk_auth.actions import ending
from synctalk_auth.settings import Settings
from synctalk_auth.store import oidc, refresh_tokens, sessions


@dataclass(frozen=True, slots=True)
class Cleaning:
    """Removes what has ended."""

    postgres: Postgres
    settings: Settings
    outbox: OutboxRelay

    async def clean(self) -> None:
        while await self._expire_sessions() >= self.settings.clean_batch:
            pass
        while await self._forget_sessions() >= self.settings.clean_batch:
            pass
        while await self._delete_tokens() >= self.settings.clean_batch:
            pass
        while await self._delete_oidc() >= self.settings.clean_batch:
            pass

    async def _expire_sessions(self) -> int:
        now = utc_now()
        idle_since = now - timedelta(seconds=self.settings.refresh_idle_s)
        async with self.postgres.transaction() as conn:
            ended = await sessions.expire(conn, now, idle_since, self.settings.clean_batch)
            await ending.publish(conn, ended, self.settings.access_token_ttl_s)
        if ended:
            self.outbox.wake()
        return len(ended)

    async def _forget_sessions(self) -> int:
        before = utc_now() - timedelta(seconds=self.settings.ended_session_keep_s)
        async with self.postgres.connection() as conn:
            return await sessions.forget(conn, before, self.settings.clean_batch)

    async def _delete_tokens(self) -> int:
        async with self.postgres.connection() as conn:
            return await refresh_tokens.delete_expired(conn, utc_now(), self.settings.clean_batch)

    async def _delete_oidc(self) -> int:
        async with self.postgres.connection() as conn:
            return await oidc.delete_expired(conn, utc_now(), self.settings.clean_batch)
