"""Server keys: making, listing and revoking them, and what the other services ask about them."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

import structlog
from synctalk_contracts.internal import ActingUser, KnownBot
from synctalk_contracts.models import Scope
from synctalk_runtime.credentials import KEY_PREFIX, ServerKey, hash_of
from synctalk_runtime.errors import ForbiddenError, InvalidError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.postgres import Postgres

from synctalk_auth import rules
from synctalk_auth.errors import TooManyKeysError
from synctalk_auth.store import bots, external_ids, server_keys, users
from synctalk_auth.store.server_keys import ServerKeyRow

log = structlog.get_logger()

KEY_BYTES = 32
USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """Makes, lists and revokes server keys. Also what auth itself knows of them (`Credentials`)."""

    postgres: Postgres
    keys_max: int

    acts: ClassVar[bool] = False
    """A server key makes no call of auth for a user."""

    async def create(
        self, name: str, scopes: Collection[Scope], expires_at: datetime | None, by: ServerKey | None
    ) -> tuple[str, str]:
        """Return the id and the text of a new key, which is shown only here. `by`: the key that makes it, if one does.

        Raises:
            ForbiddenError: it would have a scope that `by` lacks, or outlive it.
            InvalidError: its end is past.
            TooManyKeysError: there are as many as may be.
        """
        now = utc_now()
        if expires_at is not None and expires_at <= now:
            raise InvalidError.of("expires_at", "must be in the future")
        if by is not None:
            _check_no_more_than(by, scopes, expires_at)
        text = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
        row = ServerKeyRow(new_id(), name, sorted({scope.value for scope in scopes}), now, expires_at, None)
        async with self.postgres.transaction() as conn:
            await server_keys.lock(conn)
            if await server_keys.count(conn) >= self.keys_max:
                raise TooManyKeysError
            await server_keys.insert(conn, row, bytes.fromhex(hash_of(text)))
        return row.id, text

    async def all(self) -> list[ServerKeyRow]:
        async with self.postgres.connection() as conn:
            return await server_keys.all_keys(conn)

    async def revoke(self, key_id: str) -> None:
        """Delete a key. Does nothing when there is no such one any more."""
        async with self.postgres.connection() as conn:
            await server_keys.delete(conn, key_id)
        log.info("auth.server_key_revoked", key_id=key_id)

    async def row_of(self, key_hash: str) -> ServerKeyRow | None:
        """Return the key with that hash, and remember that it was used."""
        now = utc_now()
        async with self.postgres.connection() as conn:
            row = await server_keys.by_hash(conn, bytes.fromhex(key_hash))
            if row is not None and (row.last_used_at is None or row.last_used_at < now - USED_EVERY):
                await server_keys.use(conn, row.id, now, now - USED_EVERY)
        return row

    async def key_of(self, key_hash: str) -> ServerKey | None:
        row = await self.row_of(key_hash)
        if row is None:
            return None
        expires_at = row.expires_at.timestamp() if row.expires_at is not None else None
        return ServerKey(row.id, _known(row.scopes), expires_at)

    async def bot_of(self, token_hash: str) -> KnownBot | None:
        async with self.postgres.connection() as conn:
            bot = await bots.session_of(conn, bytes.fromhex(token_hash))
        return KnownBot(user_id=bot.user_id, session_id=bot.session_id) if bot is not None else None

    async def user_of(self, name: str) -> ActingUser | None:
        """Return an active user, by id or by `external:` and the percent-encoded external id."""
        user_id, external_id = rules.user_name(name)
        if user_id is None and external_id is None:
            return None
        async with self.postgres.connection() as conn:
            if external_id is not None:
                account = await external_ids.account_of(conn, external_id)
            else:
                account = await users.by_id(conn, user_id or "")
        if account is None or not account.is_active:
            return None
        return ActingUser(user_id=account.user.id, is_bot=account.user.is_bot, is_guest=account.user.is_guest)


def _check_no_more_than(by: ServerKey, scopes: Collection[Scope], expires_at: datetime | None) -> None:
    for scope in sorted(scopes):
        by.require(scope)
    if by.expires_at is not None and (expires_at is None or expires_at.timestamp() > by.expires_at):
        raise ForbiddenError("A key can't outlive the key that makes it.")


def _known(scopes: Sequence[str]) -> frozenset[Scope]:
    """Leave out those of a later version."""
    return frozenset(Scope(scope) for scope in scopes if scope in set(Scope))
