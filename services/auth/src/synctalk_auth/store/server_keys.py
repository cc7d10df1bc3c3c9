"""The table `server_keys`: the keys of host apps' backends, by the hashes of their texts."""

from dataclasses import dataclass
from datetime import datetime

from synctalk_runtime.postgres import Connection


@dataclass(frozen=True, slots=True)
class ServerKeyRow:
    id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


LOCK = """\
-- name: server_keys.lock
select pg_advisory_xact_lock($1)"""

COUNT = """\
-- name: server_keys.count
select count(*) from server_keys"""

INSERT = """\
-- name: server_keys.insert
insert into server_keys (id, hash, name, scopes, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)"""

ALL = """\
-- name: server_keys.all
select id, name, scopes, created_at, expires_at, last_used_at from server_keys order by id"""

BY_HASH = """\
-- name: server_keys.by_hash
select id, name, scopes, created_at, expires_at, last_used_at from server_keys where hash = $1"""

USE = """\
-- name: server_keys.use
update server_keys set last_used_at = $2 where id = $1 and (last_used_at is null or last_used_at < $3)"""

DELETE = """\
-- name: server_keys.delete
delete from server_keys where id = $1"""

LOCK_NUMBER = 0x53455256


async def lock(conn: Connection) -> None:
    """Let nobody else make a key until the transaction ends."""
    await conn.execute(LOCK, LOCK_NUMBER)


async def count(conn: Connection) -> int:
    return int(await conn.fetchval(COUNT))


async def insert(conn: Connection, key: ServerKeyRow, key_hash: bytes) -> None:
    await conn.execute(INSERT, key.id, key_hash, key.name, key.scopes, key.created_at, key.expires_at)


async def all_keys(conn: Connection) -> list[ServerKeyRow]:
    return [ServerKeyRow(**row) for row in await conn.fetch(ALL)]


async def by_hash(conn: Connection, key_hash: bytes) -> ServerKeyRow | None:
    row = await conn.fetchrow(BY_HASH, key_hash)
    return ServerKeyRow(**row) if row is not None else None


async def use(conn: Connection, key_id: str, now: datetime, unless_since: datetime) -> None:
    """Mark it as used now, unless it was after `unless_since`: a key in use is written once in a while only."""
    await conn.execute(USE, key_id, now, unless_since)


async def delete(conn: Connection, key_id: str) -> None:
    await conn.execute(DELETE, key_id)
