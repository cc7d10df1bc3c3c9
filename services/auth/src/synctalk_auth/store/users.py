"""The table `users`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from synctalk_contracts.models import User
from synctalk_runtime.postgres import Connection

from synctalk_auth.errors import UsernameTakenError


@dataclass(frozen=True, slots=True)
class Account:
    """An account with what signing in needs."""

    user: User
    password_hash: str | None
    """None: of a host app or an identity provider."""
    is_active: bool


INSERT = """\
-- name: users.insert
insert into users (id, username, display_name, avatar_url, email, password_hash, created_at)
values ($1, $2, $3, $4, $5, $6, $7)"""

INSERT_NAMED = """\
-- name: users.insert_named
insert into users (id, username, display_name, avatar_url, is_bot, is_guest, metadata, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (username) do nothing returning id"""

GIVE_PROFILE = """\
-- name: users.give_profile
update users set display_name = $2, avatar_url = $3 where id = $1"""

IS_TAKEN = """\
-- name: users.is_taken
select exists (select 1 from users where username = $1)"""

BY_USERNAME = """\
-- name: users.by_username
select id, username, display_name, avatar_url, is_bot, is_guest, metadata, password_hash, deactivated_at
from users where username = $1"""

BY_ID = """\
-- name: users.by_id
select id, username, display_name, avatar_url, is_bot, is_guest, metadata, password_hash, deactivated_at
from users where id = $1"""

BY_IDS = """\
-- name: users.by_ids
select id, username, display_name, avatar_url, is_bot, is_guest, metadata from users where id = any($1::uuid[])"""

HOLD_PASSWORD = """\
-- name: users.hold_password
select 1 from users where id = $1 and password_hash = $2 and deactivated_at is null for share"""

CHANGE_PASSWORD = """\
-- name: users.change_password
update users set password_hash = $3 where id = $1 and password_hash = $2 returning id"""

FOLLOW_PROFILES = """\
-- name: users.follow_profiles
update users set
  display_name = new.display_name, avatar_url = new.avatar_url, profile_at = coalesce(new.changed_at, profile_at)
from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) as new (id, display_name, avatar_url, changed_at)
where users.id = new.id and not is_erased
  and (profile_at is null or new.changed_at is null or profile_at <= new.changed_at)"""


async def insert(conn: Connection, user: User, email: str | None, password_hash: str, now: datetime) -> None:
    """Insert a user. Raises UsernameTakenError: the database decides who was first."""
    try:
        await conn.execute(
            INSERT, user.id, user.username, user.display_name, user.avatar_url, email, password_hash, now
        )
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name == "users_username_taken":
            raise UsernameTakenError from error
        raise


async def insert_named(conn: Connection, user: User, usernames: Sequence[str], now: datetime) -> User | None:
    """Insert a user without a password under the first username that is free, and return it; None: all are taken."""
    for username in usernames:
        named = user.model_copy(update={"username": username})
        values = (
            named.id,
            username,
            named.display_name,
            named.avatar_url,
            named.is_bot,
            named.is_guest,
            named.metadata,
        )
        if await conn.fetchval(INSERT_NAMED, *values, now) is not None:
            return named
    return None


async def give_profile(conn: Connection, user: User) -> None:
    """Store the name and picture that a host app gave, until api's own change follows."""
    await conn.execute(GIVE_PROFILE, user.id, user.display_name, user.avatar_url)


async def is_taken(conn: Connection, username: str) -> bool:
    return bool(await conn.fetchval(IS_TAKEN, username))


async def by_username(conn: Connection, username: str) -> Account | None:
    return _account(await conn.fetchrow(BY_USERNAME, username))


async def by_id(conn: Connection, user_id: str) -> Account | None:
    return _account(await conn.fetchrow(BY_ID, user_id))


async def by_ids(conn: Connection, user_ids: Sequence[str]) -> list[User]:
    """Unknown ones are left out."""
    return [user_of(row) for row in await conn.fetch(BY_IDS, user_ids)]


async def hold_password(conn: Connection, user_id: str, password_hash: str) -> bool:
    """Is it still this hash? If so it stays so until the transaction ends."""
    return await conn.fetchval(HOLD_PASSWORD, user_id, password_hash) is not None


async def change_password(conn: Connection, user_id: str, old_hash: str, new_hash: str) -> bool:
    """False: it was not the old one any more."""
    return await conn.fetchval(CHANGE_PASSWORD, user_id, old_hash, new_hash) is not None


async def follow_profiles(conn: Connection, users: Sequence[User], changed_at: Sequence[datetime | None]) -> None:
    """Update the profiles, unless a later change is known or the author was erased.

    Each user at most once; unknown ones are left out.
    """
    columns = [u.id for u in users], [u.display_name for u in users], [u.avatar_url for u in users]
    await conn.execute(FOLLOW_PROFILES, *columns, changed_at)


def user_of(row: asyncpg.Record) -> User:
    names = ("id", "username", "display_name", "avatar_url", "is_bot", "is_guest", "metadata")
    return User(**{name: row[name] for name in names})


def _account(row: asyncpg.Record | None) -> Account | None:
    if row is None:
        return None
    return Account(user_of(row), row["password_hash"], is_active=row["deactivated_at"] is None)
