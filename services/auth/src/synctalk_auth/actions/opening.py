"""Opening a session and handing out its tokens: what register, login and refresh have in common."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from synctalk_contracts.models import Tokens, User
from synctalk_runtime.ids import new_id
from synctalk_runtime.postgres import Connection

from synctalk_auth import rules
from synctalk_auth.settings import Settings
from synctalk_auth.signing import Keyring
from synctalk_auth.store import refresh_tokens, sessions
from synctalk_auth.store.sessions import SessionRow

REFRESH_TOKEN_BYTES = 32


def token_hash(refresh_token: str) -> bytes:
    """Return what is kept of a refresh token. It is random, so a plain hash does."""
    return hashlib.sha256(refresh_token.encode()).digest()


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Opens sessions and issues their tokens."""

    settings: Settings
    keyring: Keyring

    async def open_session(
        self, conn: Connection, user_id: str, device_name: str | None, now: datetime
    ) -> tuple[SessionRow, str]:
        """Return a new session in the caller's transaction, and its first refresh token."""
        expires_at = now + timedelta(seconds=self.settings.session_max_s)
        refresh_token = secrets.token_urlsafe(REFRESH_TOKEN_BYTES)
        session = SessionRow(new_id(), user_id, device_name, now, now, expires_at)
        await sessions.insert(conn, session)
        await self.add_refresh_token(conn, session, refresh_token, now)
        return session, refresh_token

    async def add_refresh_token(
        self,
        conn: Connection,
        session: SessionRow,
        refresh_token: str,
        now: datetime,
        predecessor: bytes | None = None,
    ) -> None:
        """Store the session's next refresh token in the caller's transaction."""
        idle = timedelta(seconds=self.settings.refresh_idle_s)
        expires_at = rules.refresh_expires_at(now, idle, session.expires_at)
        await refresh_tokens.insert(conn, token_hash(refresh_token), session.id, now, expires_at, predecessor)

    def tokens(self, user: User, session_id: str, refresh_token: str, now: datetime) -> Tokens:
        """Return a session's tokens.

        `now` is from before the transaction: no token is younger than the revocation that ended it.
        """
        return Tokens(
            access_token=self.keyring.mint(user.id, session_id, now, is_guest=user.is_guest),
            refresh_token=refresh_token,
            expires_in=self.keyring.ttl_s,
            session_id=session_id,
            user=user,
        )
