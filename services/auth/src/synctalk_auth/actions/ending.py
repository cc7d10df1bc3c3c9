"""Ending sessions. The same transaction writes the event by which the other services refuse their tokens."""

from collections.abc import Sequence
from datetime import timedelta

from prometheus_client import Counter
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_runtime import outbox
from synctalk_runtime.postgres import Connection

from synctalk_auth import rules
from synctalk_auth.store.sessions import EndedSession

ENDED = Counter("auth_sessions_ended_total", "Sessions that ended, by reason.", ["reason"])


async def publish(conn: Connection, ended: Sequence[EndedSession], access_token_ttl_s: int) -> None:
    """Write `session.revoked` for each; the caller wakes the outbox after its commit."""
    await outbox.add(conn, [revoked_event(session, access_token_ttl_s) for session in ended])
    for session in ended:
        ENDED.labels(session.reason).inc()


def revoked_event(session: EndedSession, access_token_ttl_s: int) -> SessionRevoked:
    return SessionRevoked(
        session_id=session.id,
        user_id=session.user_id,
        reason=session.reason,
        deny_until=rules.deny_until(session.revoked_at, timedelta(seconds=access_token_ttl_s)),
    )
