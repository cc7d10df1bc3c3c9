"""A person's own sessions: which there are, ending one, and whether the one they come with still stands."""

from datetime import timedelta

import structlog
from pydantic import TypeAdapter
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.ids import Id
from synctalk_contracts.models import EndReason, Session
from synctalk_runtime import cursors
from synctalk_runtime.errors import NotFoundError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.tokens import Person

from synctalk_auth import rules
from synctalk_auth.actions import ending
from synctalk_auth.parts import Parts
from synctalk_auth.store import sessions

log = structlog.get_logger()

_POSITION = TypeAdapter(Id)


async def own(parts: Parts, person: Person, limit: int, cursor: str | None) -> tuple[list[Session], str | None]:
    """A page of the live sessions, the newest sign-in first, and the cursor of the next. Raises BadCursorError."""
    before_id = cursors.decode(cursor, _POSITION) if cursor is not None else None
    now = utc_now()
    idle_since = now - timedelta(seconds=parts.settings.refresh_idle_s)
    async with parts.postgres.connection() as conn:
        rows = await sessions.page(conn, person.user_id, before_id, now, idle_since, limit + 1)
    items = [
        Session(
            session_id=row.id,
            device_name=row.device_name,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            current=row.id == person.session_id,
        )
        for row in rows[:limit]
    ]
    return items, cursors.encode(items[-1].session_id) if len(rows) > limit else None


async def log_out(parts: Parts, person: Person) -> None:
    """End the session that the person comes with."""
    await _end(parts, person.session_id, EndReason.LOGGED_OUT)


async def end(parts: Parts, person: Person, session_id: str) -> None:
    """End one of the person's sessions; one that has ended already stays as it is.

    Raises:
        NotFoundError: no such session of theirs.
    """
    async with parts.postgres.connection() as conn:
        if not await sessions.belongs_to(conn, session_id, person.user_id):
            raise NotFoundError
    await _end(parts, session_id, EndReason.REVOKED)


async def is_live(parts: Parts, person: Person) -> bool:
    """Asked of the table, so it is true at once, in whichever process the session was ended."""
    async with parts.postgres.connection() as conn:
        return await sessions.is_live(conn, person.session_id, person.user_id, utc_now())


async def revocations(parts: Parts) -> list[SessionRevoked]:
    """Every ended session of which an access token may still be alive, for those who verify offline."""
    access_ttl = timedelta(seconds=parts.settings.access_token_ttl_s)
    since = utc_now() - access_ttl - rules.DENY_MARGIN
    async with parts.postgres.connection() as conn:
        ended = await sessions.revoked_since(conn, since)
    return [ending.revoked_event(parts, session) for session in ended]


async def _end(parts: Parts, session_id: str, reason: EndReason) -> None:
    async with parts.postgres.transaction() as conn:
        ended = await sessions.revoke(conn, session_id, utc_now(), reason)
        await ending.tell(parts, conn, ended)
    parts.outbox.wake()
    for session in ended:
        log.info("auth.session_ended", user_id=session.user_id, session_id=session.id, reason=reason)
