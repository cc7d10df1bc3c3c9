"""The tables `users` and `user_phrases`: users as auth registered them, with the names and pictures they chose."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
from synctalk_contracts.models import User
from synctalk_runtime.postgres import Connection

from synctalk_api import rules

LAST_CODE_POINT = "\U0010ffff"
"""Sorts after every text that a name may hold: the upper end of "begins with"."""


OWN_COLUMNS = ("id", "username", "display_name", "avatar_url", "is_bot", "is_guest", "metadata")
COLUMNS = ", ".join(f"u.{column}" for column in OWN_COLUMNS)
"""Of `users u`; they make a `User`."""
PREFIXED_COLUMNS = ", ".join(f"u.{column} as user_{column}" for column in OWN_COLUMNS)
"""The same for a row that has columns of other tables too."""


def from_row(row: asyncpg.Record, prefix: str = "") -> User:
    """Make a user of a row with `COLUMNS`, or with these under names with a prefix."""
    return User(**{column: row[prefix + column] for column in OWN_COLUMNS})


ADD = """\
-- name: users.add
with added as (
  insert into users (id, username, display_name, avatar_url, is_bot, is_guest, metadata)
  select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bool[], $6::bool[], $7::jsonb[])
  on conflict (id) do nothing
  returning id
)
insert into user_phrases (user_id, phrase)
select p.user_id, p.phrase from unnest($8::uuid[], $9::text[]) as p(user_id, phrase) join added on added.id = p.user_id
on conflict do nothing"""


async def add(conn: Connection, users: Sequence[User]) -> None:
    """Add the users that are not known yet; the others keep their names and pictures."""
    phrases = [(user.id, phrase) for user in users for phrase in rules.phrases(user.username, user.display_name)]
    await conn.execute(ADD, *_columns(users), [user_id for user_id, _ in phrases], [phrase for _, phrase in phrases])


def _columns(users: Sequence[User]) -> list[list[Any]]:
    return [[getattr(user, column) for user in users] for column in OWN_COLUMNS]


BY_IDS = f"""\
-- name: users.by_ids
select {COLUMNS} from users u where u.id = any($1::uuid[])"""  # noqa: S608


async def by_ids(conn: Connection, user_ids: Sequence[str]) -> dict[str, User]:
    return {row["id"]: from_row(row) for row in await conn.fetch(BY_IDS, user_ids)}


LOCK = f"""\
-- name: users.lock
select {COLUMNS} from users u where u.id = $1 for no key update"""  # noqa: S608


async def lock(conn: Connection, user_id: str) -> User | None:
    row = await conn.fetchrow(LOCK, user_id)
    return None if row is None else from_row(row)


LOCKED = f"""\
-- name: users.locked
select {COLUMNS} from users u where u.id = any($1::uuid[]) order by u.id for no key update"""  # noqa: S608


async def locked(conn: Connection, user_ids: Sequence[str]) -> list[User]:
    """Lock these users and return them."""
    return [from_row(row) for row in await conn.fetch(LOCKED, user_ids)]


PUT = """\
-- name: users.put
insert into users (id, username, display_name, avatar_url, is_bot, is_guest, metadata)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bool[], $6::bool[], $7::jsonb[])
on conflict (id) do update
set username = excluded.username, display_name = excluded.display_name, avatar_url = excluded.avatar_url,
    metadata = excluded.metadata"""


async def put(conn: Connection, copied: Sequence[User]) -> None:
    """Store users as they are in the main store."""
    await conn.execute(PUT, *_columns(sorted(copied, key=lambda user: user.id)))


UPDATE = """\
-- name: users.update
with forgotten as (
  delete from user_phrases where user_id = $1 and not (phrase = any($6::text[]))
), learned as (
  insert into user_phrases (user_id, phrase) select $1, phrase from unnest($6::text[]) as phrase
  on conflict do nothing
)
update users set username = $2, display_name = $3, avatar_url = $4, metadata = $5
where id = $1
returning clock_timestamp()"""


async def update(conn: Connection, user: User) -> datetime:
    """Store the user's names, picture and metadata, and return the time. The caller holds the lock, so times rise."""
    phrases = rules.phrases(user.username, user.display_name)
    changed_at: datetime = await conn.fetchval(
        UPDATE, user.id, user.username, user.display_name, user.avatar_url, user.metadata, phrases
    )
    return changed_at


SET_DEACTIVATED = """\
-- name: users.set_deactivated
update users set deactivated = $2 where id = $1"""


async def set_deactivated(conn: Connection, user_id: str, *, deactivated: bool) -> None:
    """Note whether the user may sign in; who may not is found by no search."""
    await conn.execute(SET_DEACTIVATED, user_id, deactivated)


NOT_FORGETTABLE = """\
-- name: users.not_forgettable
select asked.id
from unnest($1::uuid[]) as asked(id)
where exists (select from users u where u.id = asked.id and not u.is_guest)
      or exists (select from members m where m.user_id = asked.id and m.left_at is null)
      or exists (select from members m where m.user_id = asked.id and m.left_at is not null)"""


async def not_forgettable(conn: Connection, user_ids: Sequence[str]) -> set[str]:
    """Return those of the users who are no guests, or are or were in a conversation."""
    return {row["id"] for row in await conn.fetch(NOT_FORGETTABLE, user_ids)}


FORGET = """\
-- name: users.forget
with phrases as (
  delete from user_phrases where user_id = any($1::uuid[])
)
delete from users where id = any($1::uuid[]) and is_guest"""


async def forget(conn: Connection, user_ids: Sequence[str]) -> None:
    """Delete these guests."""
    await conn.execute(FORGET, user_ids)


SEARCH = f"""\
-- name: users.search
select p.phrase, {COLUMNS}
from user_phrases p
join users u on u.id = p.user_id
where p.phrase >= $1 and p.phrase < $2 and (p.phrase, p.user_id) > ($3, $4::uuid) and not u.deactivated
      and not exists (select from user_phrases earlier
                      where earlier.user_id = p.user_id and earlier.phrase >= $1 and earlier.phrase < p.phrase)
order by p.phrase, p.user_id
limit $5"""  # noqa: S608

BEFORE_ALL = ("", "00000000-0000-0000-0000-000000000000")


async def search(
    conn: Connection, beginning: str, position: tuple[str, str] | None, limit: int
) -> list[tuple[str, User]]:
    """Return (phrase, user) of those with a phrase that begins so, each once, with their first such phrase."""
    phrase, user_id = position or BEFORE_ALL
    rows = await conn.fetch(SEARCH, beginning, beginning + LAST_CODE_POINT, phrase, user_id, limit)
    return [(row["phrase"], from_row(row)) for row in rows]
