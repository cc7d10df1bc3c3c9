"""Guests: users without a login, for as long as they keep their refresh token; and their end when a user claims one."""

import secrets
from dataclasses import dataclass

import structlog
from synctalk_contracts.events.users import GuestClaimed, UserRegistered
from synctalk_contracts.models import EndReason, Tokens, User
from synctalk_runtime import outbox
from synctalk_runtime.errors import ForbiddenError, UnavailableError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.limits import Limiter
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.tokens import Principal

from synctalk_auth import rules
from synctalk_auth.actions import ending, opening
from synctalk_auth.actions.opening import TokenIssuer
from synctalk_auth.clients.api import ApiClient
from synctalk_auth.errors import GuestsOffError, InvalidRefreshTokenError
from synctalk_auth.limits import Limits
from synctalk_auth.settings import Settings
from synctalk_auth.signing import Keyring
from synctalk_auth.store import guests, sessions, users

log = structlog.get_logger()

NAMES_TRIED = 3
NAME_BYTES = 5
DEFAULT_NAME = "Guest"


@dataclass(frozen=True, slots=True)
class Guests:
    """Lets guests in, and gives them to the users who claim them."""

    postgres: Postgres
    settings: Settings
    limiter: Limiter
    limits: Limits
    keyring: Keyring
    api: ApiClient
    outbox: OutboxRelay
    issuer: TokenIssuer

    async def enter(self, display_name: str | None, address: str) -> Tokens:
        """Make a guest and its session. Raises GuestsOffError, RateLimitedError, UnavailableError."""
        if self.settings.guests == "off":
            raise GuestsOffError
        blocks = rules.address_blocks(address)
        await self.limiter.take_all(self.limits.of_address(self.limits.guest, blocks))
        await self.keyring.check()
        now = utc_now()
        wanted = User(
            id=new_id(), username="", display_name=display_name or DEFAULT_NAME, avatar_url=None, is_guest=True
        )
        names = [f"{rules.GUEST_PREFIX}{secrets.token_hex(NAME_BYTES)}" for _ in range(NAMES_TRIED)]
        async with self.postgres.transaction() as conn:
            user = await users.insert_named(conn, wanted, names, now)
            if user is None:
                raise UnavailableError
            session, refresh_token = await self.issuer.open_session(conn, user.id, None, now)
            await outbox.add(conn, [UserRegistered(user=user)])
        self.outbox.wake()
        log.info("auth.guest_entered", user_id=user.id, session_id=session.id)
        await self.api.introduce(user)
        return self.issuer.tokens(user, session.id, refresh_token, now)

    async def claim(self, principal: Principal, guest_refresh_token: str) -> None:
        """End the guest whose token it is; api gives its conversations to the user. Repeated it does nothing.

        Raises:
            ForbiddenError: a guest or a bot can't claim.
            InvalidRefreshTokenError: no living guest's, or another user has claimed it.
        """
        if principal.is_guest or principal.is_bot:
            raise ForbiddenError
        now = utc_now()
        token_hash = opening.token_hash(guest_refresh_token)
        async with self.postgres.transaction() as conn:
            guest = await guests.lock_by_token(conn, token_hash, now)
            if guest is not None and guest.claimed_by == principal.user_id:
                return
            if guest is None or guest.claimed_by is not None or not guest.is_alive:
                raise InvalidRefreshTokenError
            await guests.give(conn, guest.id, principal.user_id, now)
            ended = await sessions.revoke_all(conn, guest.id, EndReason.REVOKED)
            await ending.publish(conn, ended, self.settings.access_token_ttl_s)
            await outbox.add(conn, [GuestClaimed(guest_id=guest.id, user_id=principal.user_id)])
        self.outbox.wake()
        log.info("auth.guest_claimed", guest_id=guest.id, user_id=principal.user_id)
