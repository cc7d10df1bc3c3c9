"""Changing the password: whoever else is signed in to the account is signed out."""

import structlog
from synctalk_contracts.models import EndReason
from synctalk_runtime.errors import InvalidError, UnauthenticatedError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.tokens import Person

from synctalk_auth import rules
from synctalk_auth.actions import ending, guessing
from synctalk_auth.errors import WrongPasswordError
from synctalk_auth.parts import Parts
from synctalk_auth.store import sessions, users

log = structlog.get_logger()


async def change(parts: Parts, person: Person, current_password: str, new_password: str) -> None:
    """The new password holds, every other session has ended, this one goes on.

    Raises:
        WrongPasswordError: the current one is another, also when it was changed at the same moment.
        InvalidError: the new one is too common.
        RateLimitedError: too many wrong ones lately.
    """
    buckets = await guessing.begin_password_change(parts, person.user_id)
    async with parts.postgres.connection() as conn:
        account = await users.by_id(conn, person.user_id)
    if account is None:
        raise UnauthenticatedError
    if not await parts.hasher.verify(account.password_hash, current_password):
        raise WrongPasswordError
    await guessing.give_back(parts, buckets)
    if problem := rules.password_problem(new_password, account.user.username, parts.common_passwords):
        raise InvalidError.of("new_password", problem)
    new_hash = await parts.hasher.hash(new_password)
    async with parts.postgres.transaction() as conn:
        if not await users.change_password(conn, person.user_id, account.password_hash, new_hash):
            raise WrongPasswordError
        now = utc_now()
        if await sessions.use(conn, person.session_id, now) is None:
            raise UnauthenticatedError
        ended = await sessions.revoke_others(conn, person.user_id, person.session_id, now, EndReason.PASSWORD_CHANGED)
        await ending.tell(parts, conn, ended)
    parts.outbox.wake()
    log.info("auth.password_changed", user_id=person.user_id, session_id=person.session_id, ended=len(ended))
