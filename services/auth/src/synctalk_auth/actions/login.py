"""Signing in with a password."""

from dataclasses import dataclass

import structlog
from prometheus_client import Counter
from synctalk_contracts.models import Tokens
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres

from synctalk_auth.actions.guessing import Guessing
from synctalk_auth.actions.opening import TokenIssuer
from synctalk_auth.clients.api import ApiClient
from synctalk_auth.errors import DeactivatedError, InvalidCredentialsError
from synctalk_auth.fair_queue import Turn
from synctalk_auth.hashing import Hasher
from synctalk_auth.signing import Keyring
from synctalk_auth.store import users

log = structlog.get_logger()

LOGINS = Counter("auth_logins_total", "Logins, by outcome.", ["outcome"])


@dataclass(frozen=True, slots=True)
class Login:
    """Signs users in with their password."""

    postgres: Postgres
    hasher: Hasher
    keyring: Keyring
    api: ApiClient
    guessing: Guessing
    issuer: TokenIssuer

    async def login(self, username: str, password: str, device_name: str | None, address: str) -> Tokens:
        """Open a session and return its tokens.

        Raises:
            InvalidCredentialsError: unknown user or wrong password; responses and their times are the same.
            DeactivatedError: the right password of an account that may not sign in.
            RateLimitedError, UnavailableError: nothing was looked at.
        """
        username = username.lower()
        attempt = await self.guessing.begin_login(username, address)
        await self.keyring.check()
        async with self.postgres.connection() as conn:
            account = await users.by_username(conn, username)
        is_right = await self.hasher.verify(account.password_hash if account else None, password, attempt.turn)
        if account is None or account.password_hash is None or not is_right:
            LOGINS.labels("refused").inc()
            raise InvalidCredentialsError
        if not account.is_active:
            raise DeactivatedError
        better_hash = await self._better_hash(account.password_hash, password, attempt.turn)

        now = utc_now()
        async with self.postgres.transaction() as conn:
            # A password changed meanwhile has revoked all sessions: none may be opened with the old one after that.
            if not await users.hold_password(conn, account.user.id, account.password_hash):
                raise InvalidCredentialsError
            session, refresh_token = await self.issuer.open_session(conn, account.user.id, device_name, now)
        if better_hash is not None:
            async with self.postgres.connection() as conn:
                await users.change_password(conn, account.user.id, account.password_hash, better_hash)
        LOGINS.labels("done").inc()
        log.info("auth.signed_in", user_id=account.user.id, session_id=session.id)
        await self.guessing.logged_in(attempt, username, address)
        return self.issuer.tokens(await self.api.current(account.user), session.id, refresh_token, now)

    async def _better_hash(self, password_hash: str, password: str, turn: Turn) -> str | None:
        """Return a hash with today's parameters when the kept one is older: only now is the password at hand."""
        if not self.hasher.is_outdated(password_hash):
            return None
        return await self.hasher.hash(password, turn)
