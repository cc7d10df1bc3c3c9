"""Opening a session and handing out its tokens: what register, login and refresh have in common."""

import hashlib
import secrets
from datetime import datetime, timedelta

from synctalk_contracts.models import Tokens, User
from synctalk_runtime.ids import new_id
from synctalk_runtime.postgres import Connection

from synctalk_auth import rules
from synctalk_auth.parts import Parts
from synctalk_auth.store import refresh_tokens, sessions
from synctalk_auth.store.sessions import SessionRow

REFRESH_TOKEN_BYTES = 32


def token_hash(refresh_token: str) -> bytes:
    """What is kept of a refresh token. It is random, so a plain hash does."""
    return hashlib.sha256(refresh_token.encode()).digest()


async def open_session(
    parts: Parts, conn: Connection, user_id: str, device_name: str | None, now: datetime
) -> tuple[SessionRow, str]:
    """A new session in the caller's transaction, and its first refresh token."""
    expires_at = now + timedelta(seconds=parts.settings.session_max_s)
    session = SessionRow(new_id(), user_id, device_name, now, now, expires_at)
    await sessions.insert(conn, session)
    return session, await add_refresh_token(parts, conn, session, now)


async def add_refresh_token(parts: Parts, conn: Connection, session: SessionRow, now: datetime) -> str:
    """The session's next refresh token, stored in the caller's transaction."""
    refresh_token = secrets.token_urlsafe(REFRESH_TOKEN_BYTES)
    idle = timedelta(seconds=parts.settings.refresh_idle_s)
    expires_at = rules.refresh_expires_at(now, idle, session.expires_at)
    await refresh_tokens.insert(conn, token_hash(refresh_token), session.id, now, expires_at)
    return refresh_token


def tokens(parts: Parts, user: User, session_id: str, refresh_token: str, now: datetime) -> Tokens:
    """The answer. `now` is from before the transaction: no token is younger than the revocation that ended it."""
    return Tokens(
        access_token=parts.keyring.mint(user.id, session_id, now),
        refresh_token=refresh_token,
        expires_in=parts.keyring.ttl_s,
        session_id=session_id,
        user=user,
    )
