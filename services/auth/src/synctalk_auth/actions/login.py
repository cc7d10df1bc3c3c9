"""Signing in with a password."""

import structlog
from prometheus_client import Counter
from synctalk_contracts.models import Tokens
from synctalk_runtime.ids import utc_now

from synctalk_auth.actions import guessing, opening
from synctalk_auth.errors import InvalidCredentialsError
from synctalk_auth.parts import Parts
from synctalk_auth.store import users
from synctalk_auth.store.users import Account

log = structlog.get_logger()

LOGINS = Counter("auth_logins_total", "Logins, by outcome.", ["outcome"])


async def login(parts: Parts, username: str, password: str, device_name: str | None, address: str) -> Tokens:
    """A new session.

    Raises:
        InvalidCredentialsError: no such person or another password; the answers and their times are alike.
        RateLimitedError, UnavailableError: nothing was looked at.
    """
    username = username.lower()
    buckets = await guessing.begin_login(parts, username, address)
    await parts.keyring.check()
    async with parts.postgres.connection() as conn:
        account = await users.by_username(conn, username)
    is_right = await parts.hasher.verify(account.password_hash if account else None, password)
    if account is None or not is_right:
        LOGINS.labels("refused").inc()
        raise InvalidCredentialsError
    better_hash = await _better_hash(parts, account, password)

    now = utc_now()
    async with parts.postgres.transaction() as conn:
        # A password changed meanwhile has revoked all sessions: none may be opened with the old one after that.
        if not await users.hold_password(conn, account.user.id, account.password_hash):
            raise InvalidCredentialsError
        session, refresh_token = await opening.open_session(parts, conn, account.user.id, device_name, now)
    if better_hash is not None:
        async with parts.postgres.connection() as conn:
            await users.change_password(conn, account.user.id, account.password_hash, better_hash)
    LOGINS.labels("done").inc()
    log.info("auth.signed_in", user_id=account.user.id, session_id=session.id)
    await guessing.logged_in(parts, buckets, username, address)
    return opening.tokens(parts, await parts.api.current(account.user), session.id, refresh_token, now)


async def _better_hash(parts: Parts, account: Account, password: str) -> str | None:
    """Made with today's parameters when the kept one is older: only now is the password at hand."""
    if not parts.hasher.is_outdated(account.password_hash):
        return None
    return await parts.hasher.hash(password)
