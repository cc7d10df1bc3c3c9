"""The tables `partition_owners` and `partition_map`: the api processes, and which partitions each of them owns."""

from dataclasses import dataclass

import asyncpg
from synctalk_runtime.postgres import Connection


@dataclass(frozen=True, slots=True)
class Ownership:
    """The map as it is written down, and the processes that have been seen lately."""

    version: int
    members: list[str]
    """Those for which the map was made."""
    owners: list[str]
    """Of each partition; empty before the first map."""
    present: list[str]
    staying: list[str]
    """Those of `present` that are not about to stop."""


SEE = """\
-- name: partition_owners.see
insert into partition_owners (owner, instance, leaving, seen_at)
values ($1, $2, $3, clock_timestamp())
on conflict (owner) do update set leaving = excluded.leaving, seen_at = excluded.seen_at"""


async def see(conn: Connection, owner: str, instance: str, *, leaving: bool) -> None:
    """Note that this process runs, by the database's clock."""
    await conn.execute(SEE, owner, instance, leaving)


LEAVE = """\
-- name: partition_owners.leave
with gone as (
    delete from partition_owners where owner = $1 or seen_at < clock_timestamp() - interval '1 hour'
)
update partition_map
set members = array_remove(members, $1),
    version = greatest(version + 1, (extract(epoch from clock_timestamp()) * 1000)::bigint)"""


async def leave(conn: Connection, owner: str) -> None:
    """Remove this process from the map, and the traces of those that have been gone for long."""
    await conn.execute(LEAVE, owner)


SUCCEED = """\
-- name: partition_owners.succeed
delete from partition_owners where instance = $1 and owner <> $2 returning owner"""


async def succeed(conn: Connection, owner: str, instance: str) -> list[str]:
    """Remove those that ran under this process's name before, and return them."""
    return [row["owner"] for row in await conn.fetch(SUCCEED, instance, owner)]


READ = """\
-- name: partition_map.read
select version, members, owners,
    array(select o.owner from partition_owners o
          where o.seen_at > clock_timestamp() - make_interval(secs => $1) order by o.owner) as present,
    array(select o.owner from partition_owners o
          where o.seen_at > clock_timestamp() - make_interval(secs => $1) and not o.leaving order by o.owner) as staying
from partition_map"""

LOCK = f"{READ.replace('.read', '.lock')}\nfor no key update"


async def read(conn: Connection, lease_s: float) -> Ownership:
    """Return the map, and who was seen within the last `lease_s` seconds."""
    return _ownership(await conn.fetchrow(READ, lease_s))


async def lock(conn: Connection, lease_s: float) -> Ownership:
    """Return the same, and keep others from changing the map until the transaction ends."""
    return _ownership(await conn.fetchrow(LOCK, lease_s))


def _ownership(row: asyncpg.Record | None) -> Ownership:
    assert row is not None
    return Ownership(**dict(row))


WRITE = """\
-- name: partition_map.write
update partition_map
set version = greatest(version + 1, (extract(epoch from clock_timestamp()) * 1000)::bigint),
    members = $1, owners = $2
returning version"""


async def write(conn: Connection, members: list[str], owners: list[str]) -> int:
    """Write a new map and return its version, which is above all others: those of a restored backup too."""
    version: int = await conn.fetchval(WRITE, members, owners)
    return version
