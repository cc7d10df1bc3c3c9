"""Changing the password: whoever else is signed in to the account is signed out."""

from dataclasses import dataclass

import structlog
from synctalk_contracts.models import EndReason
from synctalk_runtime.errors import InvalidError, UnauthenticatedError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.tokens import Principal

from synctalk_auth import rules
from synctalk_auth.actions import ending
from synctalk_auth.actions.guessing import Guessing
from synctalk_auth.errors import WrongPasswordError
from synctalk_auth.fair_queue import Turn
from synctalk_auth.hashing import Hasher
from synctalk_auth.settings import Settings
from synctalk_auth.store import sessions, users

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """Changes passwords."""

    postgres: Postgres
    settings: Settings
    hasher: Hasher
    outbox: OutboxRelay
    common_passwords: frozenset[str]
    guessing: Guessing

    async def change(self, principal: Principal, current_password: str, new_password: str) -> None:
        """Set the new password and end every other session; this one goes on.

        Raises:
            WrongPasswordError: the current one is another, also when it was changed at the same moment.
            InvalidError: the new one is too common.
            RateLimitedError: too many wrong ones lately.
        """
        buckets = await self.guessing.begin_password_change(principal.user_id)
        turn = Turn(principal.user_id, is_known=True)
        async with self.postgres.connection() as conn:
            account = await users.by_id(conn, principal.user_id)
        if account is None:
            raise UnauthenticatedError
        password_hash = account.password_hash
        if not await self.hasher.verify(password_hash, current_password, turn) or password_hash is None:
            raise WrongPasswordError
        await self.guessing.give_back(buckets)
        if problem := rules.password_problem(new_password, account.user.username, self.common_passwords):
            raise InvalidError.of("new_password", problem)
        new_hash = await self.hasher.hash(new_password, turn)
        async with self.postgres.transaction() as conn:
            if not await users.change_password(conn, principal.user_id, password_hash, new_hash):
                raise WrongPasswordError
            now = utc_now()
            if await sessions.use(conn, principal.session_id, now) is None:
                raise UnauthenticatedError
            ended = await sessions.revoke_others(
                conn, principal.user_id, principal.session_id, EndReason.PASSWORD_CHANGED
            )
            await ending.publish(conn, ended, self.settings.access_token_ttl_s)
        self.outbox.wake()
        log.info("auth.password_changed", user_id=principal.user_id, session_id=principal.session_id, ended=len(ended))
