"""The table of users' presence, `people`."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from asyncpg import Record
from synctalk_runtime.postgres import Connection

from synctalk_presence.user_presence import UserPresence

READ = """\
-- name: users.read
select user_id, status, custom_status, status_emoji, status_expires_at,
  case when last_seen_visible then 'everyone' when last_seen_to_contacts then 'contacts' else 'nobody' end
    as last_seen_visible, connected, idle, last_seen_at, version
from people where user_id = any($1::uuid[])"""

ENSURE = """\
-- name: users.ensure
insert into people (user_id) select unnest($1::uuid[]) on conflict do nothing"""

LOCK = """\
-- name: users.lock
select user_id, status, custom_status, status_emoji, status_expires_at,
  case when last_seen_visible then 'everyone' when last_seen_to_contacts then 'contacts' else 'nobody' end
    as last_seen_visible, connected, idle, last_seen_at, version
from people where user_id = any($1::uuid[]) order by user_id for update"""

SAVE = """\
-- name: users.save
update people as p
set status = n.status, custom_status = n.custom_status, status_emoji = n.status_emoji,
    status_expires_at = n.status_expires_at, last_seen_visible = n.last_seen_visible = 'everyone',
    last_seen_to_contacts = n.last_seen_visible = 'contacts',
    connected = n.connected, idle = n.idle, last_seen_at = n.last_seen_at, version = n.version
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::boolean[],
            $8::boolean[], $9::timestamptz[], $10::bigint[])
  as n (user_id, status, custom_status, status_emoji, status_expires_at, last_seen_visible, connected, idle,
        last_seen_at, version)
where p.user_id = n.user_id"""

CONNECTED_AFTER = """\
-- name: users.connected_after
select user_id from people where connected and user_id > $1 order by user_id limit $2"""

HUSHED = """\
-- name: users.hushed
select user_id, status from people where user_id = any($1::uuid[]) and status in ('away', 'dnd')"""

EXPIRED = """\
-- name: users.expired
select user_id from people where status_expires_at <= $1 order by status_expires_at limit $2"""

FIRST = "00000000-0000-0000-0000-000000000000"


def _from_row(row: Record) -> UserPresence:
    return UserPresence(**dict(row))


async def read(conn: Connection, user_ids: Iterable[str]) -> dict[str, UserPresence]:
    """Return every user that is asked for; those without a row have the defaults."""
    users = {user_id: UserPresence(user_id) for user_id in user_ids}
    if users:
        users |= {row["user_id"]: _from_row(row) for row in await conn.fetch(READ, list(users))}
    return users


async def lock(conn: Connection, user_ids: Iterable[str]) -> list[UserPresence]:
    """Lock users for writing in the caller's transaction, inserting missing rows. In one order: no deadlocks."""
    ordered = sorted(set(user_ids))
    await conn.execute(ENSURE, ordered)
    return [_from_row(row) for row in await conn.fetch(LOCK, ordered)]


async def save(conn: Connection, users: Sequence[UserPresence]) -> None:
    """Save users that were locked before."""
    if users:
        await conn.execute(
            SAVE,
            [p.user_id for p in users],
            [p.status for p in users],
            [p.custom_status for p in users],
            [p.status_emoji for p in users],
            [p.status_expires_at for p in users],
            [p.last_seen_visible for p in users],
            [p.connected for p in users],
            [p.idle for p in users],
            [p.last_seen_at for p in users],
            [p.version for p in users],
        )


async def connected_after(conn: Connection, user_id: str, limit: int) -> list[str]:
    """A page of those who count as connected, by id; begin at `FIRST`."""
    return [row["user_id"] for row in await conn.fetch(CONNECTED_AFTER, user_id, limit)]


async def hushed(conn: Connection, user_ids: Sequence[str]) -> dict[str, str]:
    """Return the chosen status of those of the users who chose `away` or `dnd`."""
    return {row["user_id"]: row["status"] for row in await conn.fetch(HUSHED, user_ids)}


async def expired(conn: Connection, now: datetime, limit: int) -> list[str]:
    """Return users whose custom status has ended, those that ended first."""
    return [row["user_id"] for row in await conn.fetch(EXPIRED, now, limit)]
