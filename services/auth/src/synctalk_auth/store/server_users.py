"""The table `users` as server keys see it: users by external id, also those who are deactivated or erased."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from synctalk_contracts.models import EraseMode, ServerUser
from synctalk_runtime.postgres import Connection

from synctalk_auth.errors import UsernameTakenError

BY_EXTERNAL_ID = """\
-- name: server_users.by_external_id
select u.id, u.username, u.display_name, u.avatar_url, u.is_bot, u.is_guest, u.metadata, u.private_metadata,
       u.deactivated_at, e.external_id, null::timestamptz as erased_at
from external_ids e join users u on u.id = e.user_id where e.external_id = $1"""

FORMER = """\
-- name: server_users.former
select u.id, u.username, u.display_name, u.avatar_url, u.is_bot, u.is_guest, u.metadata, u.private_metadata,
       u.deactivated_at, null::text as external_id,
       (select case when bool_and(done_at is not null) then max(done_at) end from erasures where user_id = u.id)
         as erased_at
from former_external_ids f join users u on u.id = f.user_id where f.hash = sha256(convert_to($1, 'UTF8'))"""

LOOK_UP = """\
-- name: server_users.look_up
select u.id, u.username, u.display_name, u.avatar_url, u.is_bot, u.is_guest, u.metadata, u.private_metadata,
       u.deactivated_at, e.external_id,
       (select case when bool_and(done_at is not null) then max(done_at) end from erasures where user_id = u.id)
         as erased_at
from users u left join external_ids e on e.user_id = u.id
where u.id = any($1::uuid[] || array(select user_id from external_ids where external_id = any($2::text[])))"""

WRITE = """\
-- name: server_users.write
update users set username = $2, display_name = $3, avatar_url = $4, metadata = $5, private_metadata = $6,
  deactivated_at = $7
where id = $1"""

ERASE_AUTHOR = """\
-- name: server_users.erase_author
update users set username = $2, display_name = $3, avatar_url = null, email = null, password_hash = null,
  metadata = '{}', private_metadata = '{}', is_erased = true
where id = $1"""

REQUEST_ERASURE = """\
-- name: server_users.request_erasure
insert into erasures (user_id, mode, requested_at) values ($1, $2, $3) on conflict do nothing returning mode"""

FINISH_ERASURES = """\
-- name: server_users.finish_erasures
update erasures set done_at = $3
from unnest($1::uuid[], $2::text[]) as done (user_id, mode)
where erasures.user_id = done.user_id and erasures.mode = done.mode and done_at is null"""


@dataclass(frozen=True, slots=True)
class Erasure:
    user_id: str
    mode: EraseMode


async def by_external_id(conn: Connection, external_id: str) -> ServerUser | None:
    row = await conn.fetchrow(BY_EXTERNAL_ID, external_id)
    return ServerUser(**row) if row is not None else None


async def former(conn: Connection, external_id: str) -> ServerUser | None:
    """Return the erased user who had this external id last."""
    row = await conn.fetchrow(FORMER, external_id)
    return ServerUser(**row) if row is not None else None


async def look_up(conn: Connection, user_ids: Sequence[str], external_ids: Sequence[str]) -> list[ServerUser]:
    """Return each user once; unknown ones are left out."""
    return [ServerUser(**row) for row in await conn.fetch(LOOK_UP, user_ids, external_ids)]


async def write(conn: Connection, user: ServerUser) -> None:
    """Raises UsernameTakenError."""
    try:
        await conn.execute(
            WRITE,
            user.id,
            user.username,
            user.display_name,
            user.avatar_url,
            user.metadata,
            user.private_metadata,
            user.deactivated_at,
        )
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name == "users_username_taken":
            raise UsernameTakenError from error
        raise


async def erase_author(conn: Connection, user_id: str, username: str, display_name: str) -> None:
    await conn.execute(ERASE_AUTHOR, user_id, username, display_name)


async def request_erasure(conn: Connection, erasure: Erasure, now: datetime) -> bool:
    """Return whether it was not requested before."""
    return await conn.fetchval(REQUEST_ERASURE, erasure.user_id, erasure.mode, now) is not None


async def finish_erasures(conn: Connection, done: Sequence[Erasure], now: datetime) -> None:
    await conn.execute(FINISH_ERASURES, [one.user_id for one in done], [one.mode for one in done], now)
