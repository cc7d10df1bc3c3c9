"""New tokens for a refresh token, which is spent by it.

Of many who show the same one at once exactly one gets new tokens. The others have shown a spent token, and so has
everybody who comes later: somebody has it who should not, so the whole family ends (RFC 9700, 4.14.2).
"""

from dataclasses import dataclass
from datetime import datetime

import structlog
from prometheus_client import Counter
from synctalk_contracts.models import EndReason, Tokens, User
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection

from synctalk_auth.actions import ending, opening
from synctalk_auth.errors import InvalidRefreshTokenError
from synctalk_auth.parts import Parts
from synctalk_auth.store import refresh_tokens, sessions, users

log = structlog.get_logger()

REFRESHES = Counter("auth_refreshes_total", "Refreshes, by outcome.", ["outcome"])


async def refresh(parts: Parts, refresh_token: str) -> Tokens:
    """Raises InvalidRefreshTokenError: unknown, spent, expired, or its session has ended."""
    await parts.keyring.check()
    token_hash, now = opening.token_hash(refresh_token), utc_now()
    async with parts.postgres.transaction() as conn:
        session_id = await refresh_tokens.spend(conn, token_hash, now)
        fresh = await _go_on(parts, conn, session_id, now) if session_id is not None else None
    if session_id is None:
        await _end_family_of_spent(parts, token_hash)
    if fresh is None:
        REFRESHES.labels("refused").inc()
        raise InvalidRefreshTokenError
    REFRESHES.labels("done").inc()
    user = await parts.api.current(fresh.user)
    return opening.tokens(parts, user, fresh.session_id, fresh.refresh_token, now)


@dataclass(frozen=True, slots=True)
class _Fresh:
    user: User
    session_id: str
    refresh_token: str


async def _go_on(parts: Parts, conn: Connection, session_id: str, now: datetime) -> _Fresh | None:
    """None: the session has ended."""
    session = await sessions.use(conn, session_id, now)
    account = await users.by_id(conn, session.user_id) if session is not None else None
    if session is None or account is None:
        return None
    return _Fresh(account.user, session.id, await opening.add_refresh_token(parts, conn, session, now))


async def _end_family_of_spent(parts: Parts, token_hash: bytes) -> None:
    async with parts.postgres.transaction() as conn:
        session_id = await refresh_tokens.session_of_spent(conn, token_hash)
        if session_id is None:
            return
        ended = await sessions.revoke(conn, session_id, utc_now(), EndReason.REFRESH_REUSED)
        await ending.tell(parts, conn, ended)
    parts.outbox.wake()
    if ended:
        log.warning("auth.refresh_reused", user_id=ended[0].user_id, session_id=session_id)
