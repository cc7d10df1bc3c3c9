"""The table `sessions`: a row is a family of refresh tokens. A session that is revoked stays so.

`revoked_at` is the database's time, one clock for all processes: those who ask for what is new rely on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
from synctalk_contracts.models import EndReason
from synctalk_runtime.postgres import Connection


@dataclass(frozen=True, slots=True)
class SessionRow:
    id: str
    user_id: str
    device_name: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class EndedSession:
    id: str
    user_id: str
    revoked_at: datetime
    reason: EndReason


INSERT = """\
-- name: sessions.insert
insert into sessions (id, user_id, device_name, created_at, last_used_at, expires_at)
values ($1, $2, $3, $4, $5, $6)"""

USE = """\
-- name: sessions.use
update sessions set last_used_at = greatest(last_used_at, $2)
where id = $1 and revoked_at is null and expires_at > $2
returning id, user_id, device_name, created_at, last_used_at, expires_at"""

IS_LIVE = """\
-- name: sessions.is_live
select exists (select 1 from sessions where id = $1 and user_id = $2 and revoked_at is null and expires_at > $3)"""

BELONGS_TO = """\
-- name: sessions.belongs_to
select exists (select 1 from sessions where id = $1 and user_id = $2)"""

PAGE = """\
-- name: sessions.page
select id, user_id, device_name, created_at, last_used_at, expires_at from sessions
where user_id = $1 and ($2::uuid is null or id < $2) and revoked_at is null and expires_at > $3 and last_used_at > $4
order by id desc limit $5"""

REVOKE = """\
-- name: sessions.revoke
update sessions set revoked_at = now(), reason = $2 where id = $1 and revoked_at is null
returning id, user_id, revoked_at, reason"""

REVOKE_OTHERS = """\
-- name: sessions.revoke_others
update sessions set revoked_at = now(), reason = $3 where user_id = $1 and id <> $2 and revoked_at is null
returning id, user_id, revoked_at, reason"""

REVOKE_ALL = """\
-- name: sessions.revoke_all
update sessions set revoked_at = now(), reason = $2 where user_id = $1 and revoked_at is null
returning id, user_id, revoked_at, reason"""

EXPIRE = """\
-- name: sessions.expire
update sessions set revoked_at = now(), reason = $3
where id in (
  select id from sessions
  where revoked_at is null and not lasting and (expires_at <= $1 or last_used_at <= $2) limit $4 for update skip locked
)
returning id, user_id, revoked_at, reason"""

REVOKED_SINCE = """\
-- name: sessions.revoked_since
select id, user_id, revoked_at, reason from sessions
where revoked_at > greatest($1::timestamptz, now() - $2::interval)
order by revoked_at"""

CLOCK = """\
-- name: sessions.clock
select now()"""

FORGET = """\
-- name: sessions.forget
delete from sessions
where id in (select id from sessions where revoked_at < $1 limit $2 for update skip locked)
returning id"""


async def insert(conn: Connection, session: SessionRow) -> None:
    s = session
    await conn.execute(INSERT, s.id, s.user_id, s.device_name, s.created_at, s.last_used_at, s.expires_at)


async def use(conn: Connection, session_id: str, now: datetime) -> SessionRow | None:
    """Mark it as used now, and keep it as it is until the transaction ends; None when it has ended."""
    row = await conn.fetchrow(USE, session_id, now)
    return SessionRow(**row) if row is not None else None


async def is_live(conn: Connection, session_id: str, user_id: str, now: datetime) -> bool:
    return bool(await conn.fetchval(IS_LIVE, session_id, user_id, now))


async def belongs_to(conn: Connection, session_id: str, user_id: str) -> bool:
    """Also when it has ended already."""
    return bool(await conn.fetchval(BELONGS_TO, session_id, user_id))


async def page(
    conn: Connection, user_id: str, before_id: str | None, now: datetime, idle_since: datetime, limit: int
) -> list[SessionRow]:
    """Return the live sessions of a user, newest sign-in first. Ids are UUIDv7, so they are in order of creation."""
    return [SessionRow(**row) for row in await conn.fetch(PAGE, user_id, before_id, now, idle_since, limit)]


async def revoke(conn: Connection, session_id: str, reason: EndReason) -> list[EndedSession]:
    """Empty when it had ended already."""
    return _ended(await conn.fetch(REVOKE, session_id, reason))


async def revoke_others(conn: Connection, user_id: str, but_id: str, reason: EndReason) -> list[EndedSession]:
    return _ended(await conn.fetch(REVOKE_OTHERS, user_id, but_id, reason))


async def revoke_all(conn: Connection, user_id: str, reason: EndReason) -> list[EndedSession]:
    return _ended(await conn.fetch(REVOKE_ALL, user_id, reason))


async def expire(conn: Connection, now: datetime, idle_since: datetime, limit: int) -> list[EndedSession]:
    """End those that are too old or too long unused, at most `limit`."""
    return _ended(await conn.fetch(EXPIRE, now, idle_since, EndReason.EXPIRED, limit))


async def revoked_since(conn: Connection, since: datetime | None, at_most: timedelta) -> list[EndedSession]:
    """Return those that ended after `since` and not longer ago than `at_most`, by the database's clock."""
    return _ended(await conn.fetch(REVOKED_SINCE, since, at_most))


async def clock(conn: Connection) -> datetime:
    """The database's clock, by which `revoked_at` is written."""
    now: datetime = await conn.fetchval(CLOCK)
    return now


async def forget(conn: Connection, before: datetime, limit: int) -> int:
    """Delete sessions that ended before then, with their tokens; how many."""
    return len(await conn.fetch(FORGET, before, limit))


def _ended(rows: Sequence[asyncpg.Record]) -> list[EndedSession]:
    return [EndedSession(r["id"], r["user_id"], r["revoked_at"], EndReason(r["reason"])) for r in rows]
