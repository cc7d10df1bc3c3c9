"""New tokens for a refresh token, which is spent by it.

One that is shown again within the grace, while its successor is unused, answers the same successor: the first answer
may have been lost, and of many at once all get the same. Any later somebody has it who should not, so the whole family
ends (RFC 9700, 4.14.2). Only hashes are kept: the successor is made of the spent token itself and a seed.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter
from synctalk_contracts.models import EndReason, Tokens, User
from synctalk_runtime.ids import utc_now
from synctalk_runtime.limits import Limiter
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_auth.actions import ending, opening
from synctalk_auth.actions.guessing import Guessing
from synctalk_auth.actions.opening import TokenIssuer
from synctalk_auth.clients.api import ApiClient
from synctalk_auth.errors import InvalidRefreshTokenError
from synctalk_auth.limits import Limits
from synctalk_auth.settings import Settings
from synctalk_auth.signing import Keyring
from synctalk_auth.store import refresh_tokens, sessions, users

log = structlog.get_logger()

SEED_BYTES = 32

REFRESHES = Counter("auth_refreshes_total", "Refreshes, by outcome.", ["outcome"])


@dataclass(frozen=True, slots=True)
class _Successor:
    refresh_token: str
    predecessor: bytes
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Fresh:
    user: User
    refresh_token: str
    is_new: bool


def _derive(refresh_token: str, seed: bytes) -> str:
    """Derive the successor, which neither the token alone gives away, nor the table alone."""
    digest = hmac.digest(refresh_token.encode(), seed, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Refresh:
    """Exchanges refresh tokens for new tokens."""

    postgres: Postgres
    settings: Settings
    limiter: Limiter
    limits: Limits
    keyring: Keyring
    api: ApiClient
    outbox: OutboxRelay
    guessing: Guessing
    issuer: TokenIssuer

    async def refresh(self, refresh_token: str, address: str) -> Tokens:
        """Return new tokens, or those that a spent one has brought already.

        Raises:
            InvalidRefreshTokenError: unknown, spent for too long or with a used successor, expired, or of an ended
                session.
            RateLimitedError: the session was refreshed too often.
        """
        await self.keyring.check()
        token_hash = opening.token_hash(refresh_token)
        async with self.postgres.connection() as conn:
            session_id = await refresh_tokens.session_of(conn, token_hash)
        if session_id is None:
            REFRESHES.labels("refused").inc()
            raise InvalidRefreshTokenError
        await self.limiter.take(self.limits.refresh, session_id)
        now = utc_now()
        async with self.postgres.transaction() as conn:
            successor = await self._successor(conn, refresh_token, now)
            fresh = await self._go_on(conn, session_id, successor, now) if successor is not None else None
        if successor is None:
            await self._end_family(token_hash, session_id)
        if fresh is None:
            REFRESHES.labels("refused").inc()
            raise InvalidRefreshTokenError
        REFRESHES.labels("done" if fresh.is_new else "repeated").inc()
        await self.guessing.remember(fresh.user.username, address)
        user = await self.api.current(fresh.user)
        return self.issuer.tokens(user, session_id, fresh.refresh_token, now)

    async def _successor(self, conn: Connection, refresh_token: str, now: datetime) -> _Successor | None:
        """Return the token that comes after this one; None: there may be none."""
        token_hash, seed = opening.token_hash(refresh_token), secrets.token_bytes(SEED_BYTES)
        if await refresh_tokens.spend(conn, token_hash, seed, now):
            return _Successor(_derive(refresh_token, seed), token_hash, is_new=True)
        grace = timedelta(seconds=self.settings.refresh_grace_s)
        known_seed = await refresh_tokens.seed_of_spent(conn, token_hash, now - grace)
        if known_seed is None:
            return None
        successor = _derive(refresh_token, known_seed)
        if not await refresh_tokens.is_unused(conn, opening.token_hash(successor), now):
            return None
        return _Successor(successor, token_hash, is_new=False)

    async def _go_on(self, conn: Connection, session_id: str, successor: _Successor, now: datetime) -> _Fresh | None:
        """Use the session and store the successor. None: the session has ended."""
        session = await sessions.use(conn, session_id, now)
        account = await users.by_id(conn, session.user_id) if session is not None else None
        if session is None or account is None:
            return None
        if successor.is_new:
            await self.issuer.add_refresh_token(
                conn, session, successor.refresh_token, now, predecessor=successor.predecessor
            )
        return _Fresh(account.user, successor.refresh_token, successor.is_new)

    async def _end_family(self, token_hash: bytes, session_id: str) -> None:
        """End the session of a token that was spent; one that has only expired ends nothing."""
        async with self.postgres.transaction() as conn:
            if not await refresh_tokens.is_spent(conn, token_hash):
                return
            ended = await sessions.revoke(conn, session_id, EndReason.REFRESH_REUSED)
            await ending.publish(conn, ended, self.settings.access_token_ttl_s)
        self.outbox.wake()
        if ended:
            log.warning("auth.refresh_reused", user_id=ended[0].user_id, session_id=session_id)
