"""Table `devices`: where users get pushes."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from synctalk_runtime.postgres import Connection

from synctalk_notifier.kinds import Platform

LOCK = """\
-- name: devices.lock
select pg_advisory_xact_lock(hashtextextended($1, 0))"""

EXISTS = """\
-- name: devices.exists
select exists (select from devices where user_id = $1 and device_id = $2)"""

COUNT = """\
-- name: devices.count
select count(*) from devices where user_id = $1"""

FREE_TOKEN = """\
-- name: devices.free_token
delete from devices where token_sha256 = $1 and (user_id, device_id) <> ($2, $3)"""

PUT = """\
-- name: devices.put
insert into devices (user_id, device_id, session_id, platform, token, token_sha256, created_at, locale,
  p256dh, auth)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (user_id, device_id) do update
set session_id = excluded.session_id, platform = excluded.platform, token = excluded.token,
    token_sha256 = excluded.token_sha256, locale = excluded.locale,
    p256dh = excluded.p256dh, auth = excluded.auth"""

LIST = """\
-- name: devices.list
select device_id, platform, created_at from devices where user_id = $1 order by created_at, device_id"""

DELETE = """\
-- name: devices.delete
delete from devices where user_id = $1 and device_id = $2"""

DELETE_OF_SESSIONS = """\
-- name: devices.delete_of_sessions
delete from devices where session_id = any($1::uuid[])"""

DELETE_GONE = """\
-- name: devices.delete_gone
delete from devices d
using unnest($1::uuid[], $2::text[], $3::bytea[]) as gone (user_id, device_id, token_sha256)
where d.user_id = gone.user_id and d.device_id = gone.device_id and d.token_sha256 = gone.token_sha256"""


@dataclass(frozen=True, slots=True)
class Device:
    user_id: str
    device_id: str
    session_id: str
    platform: Platform
    token: str
    created_at: datetime
    locale: str | None = None
    """Of the language that notifications are shown in."""
    p256dh: str | None = None
    auth: str | None = None
    """The keys of a Web Push subscription, whose endpoint is the token."""


@dataclass(frozen=True, slots=True)
class ListedDevice:
    device_id: str
    platform: Platform
    created_at: datetime


async def lock_token_and_user(conn: Connection, token: str, user_id: str) -> None:
    """Lock the token, then the user's devices, until the transaction ends. Always in this order."""
    await conn.execute(LOCK, f"token:{_digest(token).hex()}")
    await conn.execute(LOCK, f"user:{user_id}")


async def exists(conn: Connection, user_id: str, device_id: str) -> bool:
    return bool(await conn.fetchval(EXISTS, user_id, device_id))


async def count(conn: Connection, user_id: str) -> int:
    return int(await conn.fetchval(COUNT, user_id))


async def put(conn: Connection, device: Device) -> None:
    """Insert or update a device; a token that another device has is taken from it. `created_at` stays."""
    digest = _digest(device.token)
    await conn.execute(FREE_TOKEN, digest, device.user_id, device.device_id)
    await conn.execute(
        PUT,
        device.user_id,
        device.device_id,
        device.session_id,
        device.platform,
        device.token,
        digest,
        device.created_at,
        device.locale,
        device.p256dh,
        device.auth,
    )


async def of_user(conn: Connection, user_id: str) -> list[ListedDevice]:
    return [ListedDevice(*row) for row in await conn.fetch(LIST, user_id)]


async def delete(conn: Connection, user_id: str, device_id: str) -> None:
    await conn.execute(DELETE, user_id, device_id)


async def delete_of_sessions(conn: Connection, session_ids: list[str]) -> None:
    await conn.execute(DELETE_OF_SESSIONS, session_ids)


async def delete_gone(conn: Connection, gone: list[tuple[str, str, str]]) -> None:
    """Delete `(user_id, device_id, token)` that FCM no longer knows; a device with a new token by now stays."""
    user_ids, device_ids, tokens = zip(*gone, strict=True)
    await conn.execute(DELETE_GONE, user_ids, device_ids, [_digest(token) for token in tokens])


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
