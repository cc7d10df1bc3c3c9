"""A new person."""

from dataclasses import dataclass

import structlog
from synctalk_contracts.events.users import UserRegistered
from synctalk_contracts.models import Tokens, User
from synctalk_runtime import outbox
from synctalk_runtime.errors import InvalidError
from synctalk_runtime.ids import new_id, utc_now

from synctalk_auth import rules
from synctalk_auth.actions import opening
from synctalk_auth.errors import UsernameTakenError
from synctalk_auth.parts import Parts
from synctalk_auth.store import users

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class NewPerson:
    username: str
    password: str
    display_name: str | None
    email: str | None
    device_name: str | None


async def register(parts: Parts, wanted: NewPerson, address: str) -> Tokens:
    """Make the account and its first session. When this returns, api knows the person too, if it answers at all.

    Raises:
        RateLimitedError, InvalidError, UsernameTakenError, UnavailableError: nothing was made.
    """
    await parts.limiter.take(parts.limits.register, address)
    if problem := rules.password_problem(wanted.password, wanted.username, parts.common_passwords):
        raise InvalidError.of("password", problem)
    await parts.keyring.check()
    async with parts.postgres.connection() as conn:
        if await users.is_taken(conn, wanted.username):  # spares the hash; the constraint decides the race
            raise UsernameTakenError
    password_hash = await parts.hasher.hash(wanted.password)
    now = utc_now()
    user = User(
        id=new_id(), username=wanted.username, display_name=wanted.display_name or wanted.username, avatar_url=None
    )
    async with parts.postgres.transaction() as conn:
        await users.insert(conn, user, wanted.email, password_hash, now)
        session, refresh_token = await opening.open_session(parts, conn, user.id, wanted.device_name, now)
        await outbox.add(conn, [UserRegistered(user=user)])
    parts.outbox.wake()
    log.info("auth.registered", user_id=user.id, session_id=session.id)
    await parts.api.introduce(user)
    return opening.tokens(parts, user, session.id, refresh_token, now)
