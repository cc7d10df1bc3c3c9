"""The table `people`."""

from collections.abc import Iterable, Sequence

from asyncpg import Record
from synctalk_runtime.postgres import Connection

from synctalk_presence.person import Person

READ = """\
-- name: people.read
select user_id, status, custom_status, last_seen_visible, connected, last_seen_at, version
from people where user_id = any($1::uuid[])"""

ENSURE = """\
-- name: people.ensure
insert into people (user_id) select unnest($1::uuid[]) on conflict do nothing"""

LOCK = """\
-- name: people.lock
select user_id, status, custom_status, last_seen_visible, connected, last_seen_at, version
from people where user_id = any($1::uuid[]) order by user_id for update"""

SAVE = """\
-- name: people.save
update people as p
set status = n.status, custom_status = n.custom_status, last_seen_visible = n.last_seen_visible,
    connected = n.connected, last_seen_at = n.last_seen_at, version = n.version
from unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::boolean[], $6::timestamptz[], $7::bigint[])
  as n (user_id, status, custom_status, last_seen_visible, connected, last_seen_at, version)
where p.user_id = n.user_id"""

CONNECTED_AFTER = """\
-- name: people.connected_after
select user_id from people where connected and user_id > $1 order by user_id limit $2"""

FIRST = "00000000-0000-0000-0000-000000000000"


def _from_row(row: Record) -> Person:
    return Person(**dict(row))


async def read(conn: Connection, user_ids: Iterable[str]) -> dict[str, Person]:
    """Every one that is asked for; of whom there is no row, the defaults."""
    people = {user_id: Person(user_id) for user_id in user_ids}
    if people:
        people |= {row["user_id"]: _from_row(row) for row in await conn.fetch(READ, list(people))}
    return people


async def lock(conn: Connection, user_ids: Iterable[str]) -> list[Person]:
    """For writing in the caller's transaction; rows that are not there yet are made. In one order: no deadlocks."""
    ordered = sorted(set(user_ids))
    await conn.execute(ENSURE, ordered)
    return [_from_row(row) for row in await conn.fetch(LOCK, ordered)]


async def save(conn: Connection, people: Sequence[Person]) -> None:
    """Those that were locked before."""
    if people:
        await conn.execute(
            SAVE,
            [p.user_id for p in people],
            [p.status for p in people],
            [p.custom_status for p in people],
            [p.last_seen_visible for p in people],
            [p.connected for p in people],
            [p.last_seen_at for p in people],
            [p.version for p in people],
        )


async def connected_after(conn: Connection, user_id: str, limit: int) -> list[str]:
    """A page of those who count as connected, by id; begin at `FIRST`."""
    return [row["user_id"] for row in await conn.fetch(CONNECTED_AFTER, user_id, limit)]
