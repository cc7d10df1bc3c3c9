"""The tables `external_ids`, how host apps and identity providers call users, and `former_external_ids`, how they
called those who are erased: hashes only. Byte for byte; callers normalise."""

from synctalk_runtime.postgres import Connection

from synctalk_auth.store import users
from synctalk_auth.store.users import Account

LOCK = """\
-- name: external_ids.lock
select pg_advisory_xact_lock(hashtextextended($1, 0))"""

INSERT = """\
-- name: external_ids.insert
insert into external_ids (external_id, user_id) values ($1, $2)"""

USER_OF = """\
-- name: external_ids.user_of
select user_id from external_ids where external_id = $1"""

RELEASE = """\
-- name: external_ids.release
with released as (delete from external_ids where external_id = $1 returning external_id, user_id)
insert into former_external_ids (hash, user_id) select sha256(convert_to(external_id, 'UTF8')), user_id from released
on conflict (hash) do update set user_id = excluded.user_id"""

IS_FORMER = """\
-- name: external_ids.is_former
select exists (select 1 from former_external_ids where hash = sha256(convert_to($1, 'UTF8')))"""


async def lock(conn: Connection, external_id: str) -> None:
    """Let nobody else make a user of that external id until the transaction ends."""
    await conn.execute(LOCK, external_id)


async def insert(conn: Connection, external_id: str, user_id: str) -> None:
    await conn.execute(INSERT, external_id, user_id)


async def account_of(conn: Connection, external_id: str) -> Account | None:
    user_id = await conn.fetchval(USER_OF, external_id)
    return await users.by_id(conn, user_id) if user_id is not None else None


async def release(conn: Connection, external_id: str) -> None:
    """Take it from its user, who is still found as the one who had it last."""
    await conn.execute(RELEASE, external_id)


async def is_former(conn: Connection, external_id: str) -> bool:
    """Return whether it was the name of a user who is erased."""
    return bool(await conn.fetchval(IS_FORMER, external_id))
