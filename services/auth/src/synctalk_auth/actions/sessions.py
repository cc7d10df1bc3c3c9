"""The sessions of a user: list them, end one, and check the one that a request comes with."""

from dataclasses import dataclass
from datetime import timedelta

import structlog
from pydantic import AwareDatetime, TypeAdapter
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.ids import Id
from synctalk_contracts.internal import RevocationPage
from synctalk_contracts.models import EndReason, Session
from synctalk_runtime import cursors
from synctalk_runtime.errors import NotFoundError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.tokens import Principal

from synctalk_auth import rules
from synctalk_auth.actions import ending
from synctalk_auth.settings import Settings
from synctalk_auth.store import sessions

log = structlog.get_logger()

PAGE_OVERLAP = timedelta(seconds=30)

_LIST = "sessions"
_CURSOR = TypeAdapter(tuple[str, tuple[()], Id])
_REVOCATIONS = "revocations"
_REVOCATIONS_CURSOR = TypeAdapter(tuple[str, tuple[()], AwareDatetime])


@dataclass(frozen=True, slots=True)
class Sessions:
    """Lists, ends and checks sessions."""

    postgres: Postgres
    settings: Settings
    outbox: OutboxRelay

    async def own(self, principal: Principal, limit: int, cursor: str | None) -> tuple[list[Session], str | None]:
        """Return a page of the live sessions, the newest sign-in first, and the next cursor. Raises BadCursorError."""
        before_id = cursors.decode(cursor, _LIST, (), _CURSOR)[1] if cursor is not None else None
        now = utc_now()
        idle_since = now - timedelta(seconds=self.settings.refresh_idle_s)
        async with self.postgres.connection() as conn:
            rows = await sessions.page(conn, principal.user_id, before_id, now, idle_since, limit + 1)
        items = [
            Session(
                session_id=row.id,
                device_name=row.device_name,
                created_at=row.created_at,
                last_used_at=row.last_used_at,
                current=row.id == principal.session_id,
            )
            for row in rows[:limit]
        ]
        return items, cursors.encode(_LIST, (), items[-1].session_id) if len(rows) > limit else None

    async def log_out(self, principal: Principal) -> None:
        """End the session that the request comes with."""
        await self._end(principal.session_id, EndReason.LOGGED_OUT)

    async def end(self, principal: Principal, session_id: str) -> None:
        """End one of the user's sessions. Does nothing when it has ended already.

        Raises:
            NotFoundError: no such session of theirs.
        """
        async with self.postgres.connection() as conn:
            if not await sessions.belongs_to(conn, session_id, principal.user_id):
                raise NotFoundError
        await self._end(session_id, EndReason.REVOKED)

    async def is_live(self, principal: Principal) -> bool:
        """Return whether the session is live by the table: true at once, in whichever process it was ended."""
        async with self.postgres.connection() as conn:
            return await sessions.is_live(conn, principal.session_id, principal.user_id, utc_now())

    async def revocations(self) -> list[SessionRevoked]:
        """Return every ended session of which an access token may still be alive, for those who verify offline."""
        page = await self.revocations_since(None)
        return page.items

    async def revocations_since(self, cursor: str | None) -> RevocationPage:
        """Return those since the page whose cursor it is. Raises BadCursorError.

        A session's end is dated when its transaction begins and seen when it has committed, so pages overlap by the
        longest time that this can take.
        """
        since = cursors.decode(cursor, _REVOCATIONS, (), _REVOCATIONS_CURSOR)[1] if cursor is not None else None
        alive = timedelta(seconds=self.settings.access_token_ttl_s) + rules.DENY_MARGIN
        async with self.postgres.connection() as conn:
            read_at = await sessions.clock(conn)
            ended = await sessions.revoked_since(conn, since, alive)
        return RevocationPage(
            items=[ending.revoked_event(session, self.settings.access_token_ttl_s) for session in ended],
            cursor=cursors.encode(_REVOCATIONS, (), (read_at - PAGE_OVERLAP).isoformat()),
        )

    async def _end(self, session_id: str, reason: EndReason) -> None:
        async with self.postgres.transaction() as conn:
            ended = await sessions.revoke(conn, session_id, reason)
            await ending.publish(conn, ended, self.settings.access_token_ttl_s)
        self.outbox.wake()
        for session in ended:
            log.info("auth.session_ended", user_id=session.user_id, session_id=session.id, reason=reason)
