"""Users of a host app or an identity provider: found by their external id alone, and made at the first sign-in.

Nothing is ever linked by username, e-mail address, name or user id: whoever may write those there could take over an
account here.
"""

import secrets
from dataclasses import dataclass

import structlog
from synctalk_contracts.events.users import ProfileProvided, UserRegistered
from synctalk_contracts.models import Tokens, User
from synctalk_runtime import outbox
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_auth import rules
from synctalk_auth.actions.opening import TokenIssuer
from synctalk_auth.clients.api import ApiClient
from synctalk_auth.errors import DeactivatedError, UnknownUserError
from synctalk_auth.signing import Keyring
from synctalk_auth.store import external_ids, users

log = structlog.get_logger()

SUFFIXES = 6


@dataclass(frozen=True, slots=True)
class HostProfile:
    """What the host says of a user. None: it says nothing, and what is here stays."""

    external_id: str
    display_name: str | None
    avatar_url: str | None
    preferred_username: str | None


@dataclass(frozen=True, slots=True)
class HostUsers:
    """Signs in users that others vouch for."""

    postgres: Postgres
    keyring: Keyring
    api: ApiClient
    outbox: OutboxRelay
    issuer: TokenIssuer

    async def sign_in(self, profile: HostProfile, device_name: str | None, *, may_create: bool) -> Tokens:
        """Open a session of the user, who is made or brought up to date before.

        Raises:
            UnknownUserError: not known here, and may not be made.
            DeactivatedError: may not sign in, or was erased: only a server key makes a new one.
            UnavailableError: nothing was made.
        """
        await self.keyring.check()
        now = utc_now()
        async with self.postgres.transaction() as conn:
            await external_ids.lock(conn, profile.external_id)
            account = await external_ids.account_of(conn, profile.external_id)
            if account is None and await external_ids.is_former(conn, profile.external_id):
                raise DeactivatedError
            if account is None and not may_create:
                raise UnknownUserError
            if account is not None and not account.is_active:
                raise DeactivatedError
            given = await self._update(conn, account.user, profile) if account is not None else None
            user = account.user if account is not None else await self._make(conn, profile)
            session, refresh_token = await self.issuer.open_session(conn, user.id, device_name, now)
        self.outbox.wake()
        log.info("auth.signed_in_by_host", user_id=user.id, session_id=session.id, is_new=account is None)
        if account is None:
            await self.api.introduce(user)
            return self.issuer.tokens(user, session.id, refresh_token, now)
        if given is not None:
            await self.api.give_profile(given)
        user = _with_profile(await self.api.current(user), profile)
        return self.issuer.tokens(user, session.id, refresh_token, now)

    async def _make(self, conn: Connection, profile: HostProfile) -> User:
        wanted = profile.preferred_username or profile.display_name or ""
        names = rules.usernames_like(wanted, [secrets.token_hex(3) for _ in range(SUFFIXES)])
        user = User(id=new_id(), username="", display_name=profile.display_name or "", avatar_url=profile.avatar_url)
        made = await users.insert_named(conn, user, names, utc_now())
        if made is None:
            raise UnavailableError
        user = made
        if not user.display_name:
            user = user.model_copy(update={"display_name": user.username})
            await users.give_profile(conn, user)
        await external_ids.insert(conn, profile.external_id, user.id)
        await outbox.add(conn, [UserRegistered(user=user, external_id=profile.external_id)])
        return user

    async def _update(self, conn: Connection, user: User, profile: HostProfile) -> ProfileProvided | None:
        """Give the user another name or picture if the host says so; None: nothing is new."""
        changed = _with_profile(user, profile)
        if changed == user:
            return None
        await users.give_profile(conn, changed)
        given = ProfileProvided(user_id=user.id, display_name=profile.display_name, avatar_url=profile.avatar_url)
        await outbox.add(conn, [given])
        return given


def _with_profile(user: User, profile: HostProfile) -> User:
    given = {"display_name": profile.display_name, "avatar_url": profile.avatar_url}
    return user.model_copy(update={name: value for name, value in given.items() if value is not None})
