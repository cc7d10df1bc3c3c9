"""Registering a user."""

from dataclasses import dataclass
from typing import Literal

import structlog
from synctalk_contracts.events.users import UserRegistered
from synctalk_contracts.models import Tokens, User
from synctalk_runtime import outbox
from synctalk_runtime.errors import InvalidError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.limits import Limiter
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Postgres

from synctalk_auth import rules
from synctalk_auth.actions.guessing import Guessing
from synctalk_auth.actions.opening import TokenIssuer
from synctalk_auth.clients.api import ApiClient
from synctalk_auth.errors import InviteNeededError, RegistrationClosedError, UsernameTakenError
from synctalk_auth.fair_queue import Turn
from synctalk_auth.hashing import Hasher
from synctalk_auth.limits import Limits
from synctalk_auth.signing import Keyring
from synctalk_auth.store import users

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class NewAccount:
    username: str
    password: str
    display_name: str | None
    email: str | None
    device_name: str | None
    invite_code: str | None


@dataclass(frozen=True, slots=True)
class Registration:
    """Registers users."""

    postgres: Postgres
    mode: Literal["open", "invite", "closed"]
    limiter: Limiter
    limits: Limits
    hasher: Hasher
    keyring: Keyring
    api: ApiClient
    outbox: OutboxRelay
    common_passwords: frozenset[str]
    guessing: Guessing
    issuer: TokenIssuer

    async def register(self, wanted: NewAccount, address: str) -> Tokens:
        """Create the account and its first session. When this returns, api knows the user too, if it responds at all.

        Raises:
            RegistrationClosedError, InviteNeededError: the setting does not let them in.
            RateLimitedError, InvalidError, UsernameTakenError, UnavailableError: nothing was made.
        """
        blocks = rules.address_blocks(address)
        await self.limiter.take_all(self.limits.of_address(self.limits.register, blocks))
        if self.mode == "closed":
            raise RegistrationClosedError
        if self.mode == "invite" and not wanted.invite_code:
            raise InviteNeededError
        if problem := rules.password_problem(wanted.password, wanted.username, self.common_passwords):
            raise InvalidError.of("password", problem)
        if rules.is_reserved(wanted.username):
            raise UsernameTakenError
        await self.keyring.check()
        async with self.postgres.connection() as conn:
            if await users.is_taken(conn, wanted.username):  # spares the hash; the constraint decides the race
                raise UsernameTakenError
        password_hash = await self.hasher.hash(wanted.password, Turn(blocks[-1], is_known=False))
        now = utc_now()
        user = User(
            id=new_id(), username=wanted.username, display_name=wanted.display_name or wanted.username, avatar_url=None
        )
        await self._use_invite(wanted.invite_code, user.id)
        async with self.postgres.transaction() as conn:
            await users.insert(conn, user, wanted.email, password_hash, now)
            session, refresh_token = await self.issuer.open_session(conn, user.id, wanted.device_name, now)
            await outbox.add(conn, [UserRegistered(user=user)])
        self.outbox.wake()
        log.info("auth.registered", user_id=user.id, session_id=session.id)
        await self.guessing.remember(user.username, address)
        await self.api.introduce(user)
        return self.issuer.tokens(user, session.id, refresh_token, now)

    async def _use_invite(self, code: str | None, user_id: str) -> None:
        """Take one use of the invite, last of all: what is refused for another reason costs none."""
        if self.mode == "invite" and (not code or not await self.api.use_invite(code, user_id)):
            raise InviteNeededError
