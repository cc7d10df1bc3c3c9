"""The tables `partition_owners`, `partition_map` and `partitions`: who owns the partitions, and where they lie.

The first two are in the main store: the api processes, which partitions each of them owns, and in which store each
lies. `partitions`, in every store, says which have been moved away from it.
"""

from collections.abc import Sequence
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
    stores: list[str]
    """Of each partition; empty: all are in the main one."""
    moving: list[int]
    """The partitions that are about to get another store."""


SEE = """\
-- name: partition_owners.see
insert into partition_owners (owner, instance, leaving, seen_at, map_version)
values ($1, $2, $3, clock_timestamp(), $4)
on conflict (owner) do update
set leaving = excluded.leaving, seen_at = excluded.seen_at, map_version = excluded.map_version"""


async def see(conn: Connection, owner: str, instance: str, map_version: int, *, leaving: bool) -> None:
    """Note that this process runs, by the database's clock, and by which map it goes."""
    await conn.execute(SEE, owner, instance, leaving, map_version)


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
select version, members, owners, stores,
    case when moving_until > clock_timestamp() then moving else '{}' end as moving,
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


MOVED = """\
-- name: partitions.moved
select partition from partitions where moved_to is not null"""


async def moved(conn: Connection) -> set[int]:
    """Return the partitions that have been moved away from this store."""
    return {row["partition"] for row in await conn.fetch(MOVED)}


NOTE_MOVING = """\
-- name: partition_map.note_moving
update partition_map
set version = greatest(version + 1, (extract(epoch from clock_timestamp()) * 1000)::bigint),
    moving = $1, moving_until = clock_timestamp() + make_interval(secs => $2)
returning version"""


async def note_moving(conn: Connection, moving: Sequence[int], seconds: float) -> int:
    """Note that these partitions are not written to for so long, and return the map's version."""
    version: int = await conn.fetchval(NOTE_MOVING, moving, seconds)
    return version


PLACE = """\
-- name: partition_map.place
update partition_map
set version = greatest(version + 1, (extract(epoch from clock_timestamp()) * 1000)::bigint),
    stores = $1, moving = array_remove(moving, $2)"""


async def place(conn: Connection, stores: Sequence[str], moved: int) -> None:
    """Write down in which store each partition lies; this one is not moving any more."""
    await conn.execute(PLACE, stores, moved)


BEHIND = """\
-- name: partition_owners.behind
select exists (
    select from partition_owners
    where seen_at > clock_timestamp() - interval '3 seconds' and map_version < $1
)"""


async def behind(conn: Connection, version: int) -> bool:
    """Return whether a process that runs goes by an earlier map."""
    found: bool = await conn.fetchval(BEHIND, version)
    return found


MOVES_LOCK = 0x53544D56

TRY_LOCK_MOVES = """\
-- name: partition_map.try_lock_moves
select pg_try_advisory_lock($1)"""

UNLOCK_MOVES = """\
-- name: partition_map.unlock_moves
select pg_advisory_unlock($1)"""


async def try_lock_moves(conn: Connection) -> bool:
    """Keep others from moving partitions as long as this connection lives; False: somebody else does."""
    locked: bool = await conn.fetchval(TRY_LOCK_MOVES, MOVES_LOCK)
    return locked


async def unlock_moves(conn: Connection) -> None:
    await conn.execute(UNLOCK_MOVES, MOVES_LOCK)
