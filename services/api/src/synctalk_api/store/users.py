"""The tables `users` and `user_phrases`: users as auth registered them, with the names and pictures they chose."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
from synctalk_contracts.models import User
from synctalk_runtime.postgres import Connection

from synctalk_api import rules

LAST_CODE_POINT = "\U0010ffff"
"""Sorts after every text that a name may hold: the upper end of "begins with"."""


COLUMNS = "u.id, u.username, u.display_name, u.avatar_url"


def _user(row: asyncpg.Record) -> User:
    return User(id=row["id"], username=row["username"], display_name=row["display_name"], avatar_url=row["avatar_url"])


ADD = """\
-- name: users.add
with added as (
  insert into users (id, username, display_name, avatar_url)
  select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
  on conflict (id) do nothing
  returning id
)
insert into user_phrases (user_id, phrase)
select p.user_id, p.phrase from unnest($5::uuid[], $6::text[]) as p(user_id, phrase) join added on added.id = p.user_id
on conflict do nothing"""


async def add(conn: Connection, users: Sequence[User]) -> None:
    """Add the users that are not known yet; the others keep their names and pictures."""
    phrases = [(user.id, phrase) for user in users for phrase in rules.phrases(user.username, user.display_name)]
    await conn.execute(
        ADD,
        [user.id for user in users],
        [user.username for user in users],
        [user.display_name for user in users],
        [user.avatar_url for user in users],
        [user_id for user_id, _ in phrases],
        [phrase for _, phrase in phrases],
    )


BY_IDS = f"""\
-- name: users.by_ids
select {COLUMNS} from users u where u.id = any($1::uuid[])"""  # noqa: S608


async def by_ids(conn: Connection, user_ids: Sequence[str]) -> dict[str, User]:
    return {row["id"]: _user(row) for row in await conn.fetch(BY_IDS, user_ids)}


LOCK = f"""\
-- name: users.lock
select {COLUMNS} from users u where u.id = $1 for no key update"""  # noqa: S608


async def lock(conn: Connection, user_id: str) -> User | None:
    row = await conn.fetchrow(LOCK, user_id)
    return None if row is None else _user(row)


UPDATE = """\
-- name: users.update
with forgotten as (
  delete from user_phrases where user_id = $1 and not (phrase = any($4::text[]))
), learned as (
  insert into user_phrases (user_id, phrase) select $1, phrase from unnest($4::text[]) as phrase
  on conflict do nothing
)
update users set display_name = $2, avatar_url = $3 where id = $1 returning clock_timestamp()"""


async def update(conn: Connection, user: User) -> datetime:
    """Store the user's name and picture, and return the time. The caller holds the lock, so times rise."""
    phrases = rules.phrases(user.username, user.display_name)
    changed_at: datetime = await conn.fetchval(UPDATE, user.id, user.display_name, user.avatar_url, phrases)
    return changed_at


SEARCH = f"""\
-- name: users.search
select p.phrase, {COLUMNS}
from user_phrases p
join users u on u.id = p.user_id
where p.phrase >= $1 and p.phrase < $2 and (p.phrase, p.user_id) > ($3, $4::uuid)
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
    return [(row["phrase"], _user(row)) for row in rows]
