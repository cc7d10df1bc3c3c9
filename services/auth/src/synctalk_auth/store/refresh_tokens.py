"""The table `refresh_tokens`: hashes only. Spending is one atomic statement, so of many at once one wins."""

from datetime import datetime

from synctalk_runtime.postgres import Connection

INSERT = """\
-- name: refresh_tokens.insert
insert into refresh_tokens (hash, session_id, created_at, expires_at) values ($1, $2, $3, $4)"""

SPEND = """\
-- name: refresh_tokens.spend
update refresh_tokens set spent_at = $2 where hash = $1 and spent_at is null and expires_at > $2 returning session_id"""

SESSION_OF_SPENT = """\
-- name: refresh_tokens.session_of_spent
select session_id from refresh_tokens where hash = $1 and spent_at is not null"""

DELETE_EXPIRED = """\
-- name: refresh_tokens.delete_expired
delete from refresh_tokens
where hash in (select hash from refresh_tokens where expires_at < $1 limit $2 for update skip locked)
returning session_id"""


async def insert(conn: Connection, token_hash: bytes, session_id: str, now: datetime, expires_at: datetime) -> None:
    await conn.execute(INSERT, token_hash, session_id, now, expires_at)


async def spend(conn: Connection, token_hash: bytes, now: datetime) -> str | None:
    """The session of a good token, which is spent by this; None when it is unknown, spent or expired."""
    session_id: str | None = await conn.fetchval(SPEND, token_hash, now)
    return session_id


async def session_of_spent(conn: Connection, token_hash: bytes) -> str | None:
    session_id: str | None = await conn.fetchval(SESSION_OF_SPENT, token_hash)
    return session_id


async def delete_expired(conn: Connection, now: datetime, limit: int) -> int:
    return len(await conn.fetch(DELETE_EXPIRED, now, limit))
