"""Ending sessions: whoever verifies their tokens offline is told by an event of the same transaction."""

from collections.abc import Sequence
from datetime import timedelta

from prometheus_client import Counter
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_runtime import outbox
from synctalk_runtime.postgres import Connection

from synctalk_auth import rules
from synctalk_auth.parts import Parts
from synctalk_auth.store.sessions import EndedSession

ENDED = Counter("auth_sessions_ended_total", "Sessions that ended, by reason.", ["reason"])


async def tell(parts: Parts, conn: Connection, ended: Sequence[EndedSession]) -> None:
    """Write `session.revoked` for each; the caller wakes the outbox after its commit."""
    await outbox.add(conn, [revoked_event(parts, session) for session in ended])
    for session in ended:
        ENDED.labels(session.reason).inc()


def revoked_event(parts: Parts, session: EndedSession) -> SessionRevoked:
    access_ttl = timedelta(seconds=parts.settings.access_token_ttl_s)
    return SessionRevoked(
        session_id=session.id,
        user_id=session.user_id,
        reason=session.reason,
        deny_until=rules.deny_until(session.revoked_at, access_ttl),
    )
