"""Users as a host app's backend makes, changes and ends them, by its own names for them.

Who changes a user locks the external id first, so many at once make one user, and none signs in while it ends.
"""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from synctalk_contracts.events.users import (
    ErasureCompleted,
    ErasureRequested,
    ProfileProvided,
    UserDeactivated,
    UserReactivated,
    UserRegistered,
)
from synctalk_contracts.models import EndReason, EraseMode, ServerUser, Tokens, User
from synctalk_runtime import outbox
from synctalk_runtime.errors import AppError, InvalidError, NotFoundError, UnavailableError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_auth import rules
from synctalk_auth.actions import ending
from synctalk_auth.actions.opening import TokenIssuer
from synctalk_auth.clients.api import ApiClient
from synctalk_auth.errors import DeactivatedError, UsernameTakenError
from synctalk_auth.settings import Settings
from synctalk_auth.signing import Keyring
from synctalk_auth.store import external_ids, server_users, sessions, users
from synctalk_auth.store.server_users import Erasure

log = structlog.get_logger()

SUFFIXES = 6
API_CALLS = 20
"""At once, for a batch."""
ERASED_NAME = "Deleted user"

Fields = Mapping[str, Any]
"""Those of a user that the host gives; what is left out keeps its value."""


@dataclass(frozen=True, slots=True)
class _Put:
    """What became of one user."""

    user: ServerUser
    is_new: bool
    given: ProfileProvided | None
    """What api has to take over."""


@dataclass(frozen=True, slots=True)
class ServerUsers:
    """Makes, changes and ends the users of host apps."""

    postgres: Postgres
    settings: Settings
    keyring: Keyring
    api: ApiClient
    outbox: OutboxRelay
    issuer: TokenIssuer

    async def put(self, external_id: str, fields: Fields) -> tuple[ServerUser, bool]:
        """Make or change a user, and bring one back who was deactivated; return it, and whether it is new.

        Raises:
            InvalidError: a new one needs a display name.
            UsernameTakenError: another user has the name, or nobody may.
            UnavailableError: nothing was made.
        """
        done = await self._store(external_id, fields)
        self.outbox.wake()
        return await self._pass_on(done), done.is_new

    async def put_all(self, items: Sequence[tuple[str, Fields | AppError]]) -> list[ServerUser | AppError]:
        """Put each in the order given, and return what became of it; one that fails stops no other."""
        done = [await self._outcome(external_id, fields) for external_id, fields in items]
        self.outbox.wake()
        free = asyncio.Semaphore(API_CALLS)

        async def finish(outcome: _Put | AppError) -> ServerUser | AppError:
            if isinstance(outcome, AppError):
                return outcome
            async with free:
                return await self._pass_on(outcome)

        return list(await asyncio.gather(*map(finish, done)))

    async def get(self, external_id: str) -> ServerUser:
        """Return a user, also a deactivated or erased one. Raises NotFoundError."""
        async with self.postgres.connection() as conn:
            user = await _known(conn, external_id)
        if user is None:
            raise NotFoundError
        return user if user.deactivated_at is not None else await self.api.current(user)

    async def look_up(self, user_ids: Sequence[str], names: Sequence[str]) -> list[ServerUser]:
        """Return users by id or external id; unknown ones are left out."""
        async with self.postgres.connection() as conn:
            return await server_users.look_up(conn, user_ids, names)

    async def open_session(self, external_id: str) -> Tokens:
        """Return the tokens of a new session of the user. Raises NotFoundError, DeactivatedError, UnavailableError."""
        await self.keyring.check()
        now = utc_now()
        async with self.postgres.transaction() as conn:
            await external_ids.lock(conn, external_id)
            user = await _known(conn, external_id)
            if user is None:
                raise NotFoundError
            if user.deactivated_at is not None:
                raise DeactivatedError
            session, refresh_token = await self.issuer.open_session(conn, user.id, None, now)
        log.info("auth.signed_in_by_key", user_id=user.id, session_id=session.id)
        return self.issuer.tokens(await self.api.current(_as_shown(user)), session.id, refresh_token, now)

    async def remove(self, external_id: str, erase: EraseMode | None) -> None:
        """Deactivate a user, and have erased what `erase` says. Repeated it does nothing. Raises NotFoundError."""
        async with self.postgres.transaction() as conn:
            await external_ids.lock(conn, external_id)
            user = await _known(conn, external_id)
            if user is None:
                raise NotFoundError
            if user.deactivated_at is None:
                user = await self._deactivate(conn, user)
            if erase is not None:
                await self._request_erasure(conn, external_id, user, erase)
        self.outbox.wake()
        log.info("auth.user_deactivated", user_id=user.id, erase=erase)

    async def _outcome(self, external_id: str, fields: Fields | AppError) -> _Put | AppError:
        if isinstance(fields, AppError):
            return fields
        try:
            return await self._store(external_id, fields)
        except AppError as error:
            return error

    async def _store(self, external_id: str, fields: Fields) -> _Put:
        if rules.is_reserved(fields.get("username", "")):
            raise UsernameTakenError
        async with self.postgres.transaction() as conn:
            await external_ids.lock(conn, external_id)
            known = await server_users.by_external_id(conn, external_id)
            if known is None:
                return _Put(await self._make(conn, external_id, fields), is_new=True, given=None)
            return await self._change(conn, known, fields)

    async def _make(self, conn: Connection, external_id: str, fields: Fields) -> ServerUser:
        if "display_name" not in fields:
            raise InvalidError.of("display_name", "Field required")
        given = {name: value for name, value in fields.items() if name not in ("username", "private_metadata")}
        wanted = User(id=new_id(), username="", **({"avatar_url": None} | given))
        named = await users.insert_named(conn, wanted, _usernames(fields), utc_now())
        if named is None:
            raise UsernameTakenError if "username" in fields else UnavailableError
        user = ServerUser(
            **named.model_dump(),
            external_id=external_id,
            private_metadata=fields.get("private_metadata", {}),
            deactivated_at=None,
            erased_at=None,
        )
        await server_users.write(conn, user)
        await external_ids.insert(conn, external_id, user.id)
        await outbox.add(conn, [UserRegistered(user=named, external_id=external_id)])
        log.info("auth.user_made_by_key", user_id=user.id)
        return user

    async def _change(self, conn: Connection, known: ServerUser, fields: Fields) -> _Put:
        user = known.model_copy(update={**fields, "deactivated_at": None})
        if user == known:
            return _Put(known, is_new=False, given=None)
        await server_users.write(conn, user)
        given = _given(known, user)
        events = [UserReactivated(user_id=user.id, external_id=user.external_id)] if known.deactivated_at else []
        await outbox.add(conn, [*events, *([given] if given is not None else [])])
        return _Put(user, is_new=False, given=given)

    async def _pass_on(self, done: _Put) -> ServerUser:
        """Let api know at once, and return the user with the profile that api has."""
        if done.is_new:
            await self.api.introduce(_as_shown(done.user))
            return done.user
        if done.given is None:
            return await self.api.current(done.user)
        await self.api.give_profile(done.given)
        current = await self.api.current(done.user)
        kept: dict[str, Any] = {"display_name": done.user.display_name} if done.given.display_name is not None else {}
        if done.given.avatar_url is not None or done.given.avatar_removed:
            kept |= {"avatar_url": done.user.avatar_url}
        return current.model_copy(update=kept)

    async def _deactivate(self, conn: Connection, user: ServerUser) -> ServerUser:
        deactivated = user.model_copy(update={"deactivated_at": utc_now()})
        await server_users.write(conn, deactivated)
        ended = await sessions.revoke_all(conn, user.id, EndReason.REVOKED)
        await ending.publish(conn, ended, self.settings.access_token_ttl_s)
        await outbox.add(conn, [UserDeactivated(user_id=user.id, external_id=user.external_id)])
        return deactivated

    async def _request_erasure(self, conn: Connection, external_id: str, user: ServerUser, mode: EraseMode) -> None:
        if not await server_users.request_erasure(conn, Erasure(user.id, mode), utc_now()):
            return
        await external_ids.release(conn, external_id)
        shown = _as_shown(user)
        if mode is EraseMode.AUTHOR:
            shown = _erased(shown)
            await server_users.erase_author(conn, user.id, shown.username, shown.display_name)
        await outbox.add(conn, [ErasureRequested(user_id=user.id, mode=mode, user=shown)])


async def finish_erasures(postgres: Postgres, events: Sequence[ErasureCompleted]) -> None:
    """Remember what api has erased."""
    done = [Erasure(user_id, mode) for user_id, mode in {(event.user_id, event.mode) for event in events}]
    async with postgres.connection() as conn:
        await server_users.finish_erasures(conn, done, utc_now())


async def _known(conn: Connection, external_id: str) -> ServerUser | None:
    return await server_users.by_external_id(conn, external_id) or await server_users.former(conn, external_id)


def _usernames(fields: Fields) -> list[str]:
    if "username" in fields:
        return [fields["username"]]
    return rules.usernames_like(fields["display_name"], [secrets.token_hex(3) for _ in range(SUFFIXES)])


def _given(known: ServerUser, user: ServerUser) -> ProfileProvided | None:
    """Return what is new for others than server keys; None: nothing is."""
    if _as_shown(known) == _as_shown(user):
        return None

    def new(name: str) -> Any:
        value = getattr(user, name)
        return value if value != getattr(known, name) else None

    return ProfileProvided(
        user_id=user.id,
        display_name=new("display_name"),
        avatar_url=new("avatar_url"),
        avatar_removed=user.avatar_url is None and known.avatar_url is not None,
        username=new("username"),
        metadata=new("metadata"),
    )


def _as_shown(user: ServerUser) -> User:
    """Return what everybody may see."""
    return User(**user.model_dump(include=set(User.model_fields)))


def _erased(user: User) -> User:
    return User(
        id=user.id,
        username=rules.deleted_username(user.id),
        display_name=ERASED_NAME,
        avatar_url=None,
        is_bot=user.is_bot,
        is_guest=user.is_guest,
    )
