"""The table `refresh_tokens`: hashes only. Spending is one atomic statement, so of many at once one wins."""

from datetime import datetime

from synctalk_runtime.postgres import Connection

INSERT = """\
-- name: refresh_tokens.insert
insert into refresh_tokens (hash, session_id, created_at, expires_at, predecessor) values ($1, $2, $3, $4, $5)"""

SESSION_OF = """\
-- name: refresh_tokens.session_of
select session_id from refresh_tokens where hash = $1"""

SPEND = """\
-- name: refresh_tokens.spend
update refresh_tokens set spent_at = $2, successor_seed = $3 where hash = $1 and spent_at is null and expires_at > $2
returning predecessor"""

FORGET_SEED = """\
-- name: refresh_tokens.forget_seed
update refresh_tokens set successor_seed = null where hash = $1"""

SEED_OF_SPENT = """\
-- name: refresh_tokens.seed_of_spent
select successor_seed from refresh_tokens where hash = $1 and spent_at > $2 for update"""

IS_SPENT = """\
-- name: refresh_tokens.is_spent
select exists (select 1 from refresh_tokens where hash = $1 and spent_at is not null)"""

IS_UNUSED = """\
-- name: refresh_tokens.is_unused
select exists (select 1 from refresh_tokens where hash = $1 and spent_at is null and expires_at > $2)"""

DELETE_EXPIRED = """\
-- name: refresh_tokens.delete_expired
delete from refresh_tokens
where hash in (select hash from refresh_tokens where expires_at < $1 limit $2 for update skip locked)
returning session_id"""


async def insert(
    conn: Connection,
    token_hash: bytes,
    session_id: str,
    now: datetime,
    expires_at: datetime,
    predecessor: bytes | None = None,
) -> None:
    await conn.execute(INSERT, token_hash, session_id, now, expires_at, predecessor)


async def session_of(conn: Connection, token_hash: bytes) -> str | None:
    session_id: str | None = await conn.fetchval(SESSION_OF, token_hash)
    return session_id


async def spend(conn: Connection, token_hash: bytes, seed: bytes, now: datetime) -> bool:
    """True: it was good, and is spent by this. False: it is unknown, spent or expired.

    Whoever shows the new token has got it, so the one before it is answered no more.
    """
    row = await conn.fetchrow(SPEND, token_hash, now, seed)
    if row is None:
        return False
    if row["predecessor"] is not None:
        await conn.execute(FORGET_SEED, row["predecessor"])
    return True


async def seed_of_spent(conn: Connection, token_hash: bytes, since: datetime) -> bytes | None:
    """Return the seed of the successor of a token that was spent after then; None: it is not answered any more."""
    seed: bytes | None = await conn.fetchval(SEED_OF_SPENT, token_hash, since)
    return seed


async def is_spent(conn: Connection, token_hash: bytes) -> bool:
    return bool(await conn.fetchval(IS_SPENT, token_hash))


async def is_unused(conn: Connection, token_hash: bytes, now: datetime) -> bool:
    return bool(await conn.fetchval(IS_UNUSED, token_hash, now))


async def delete_expired(conn: Connection, now: datetime, limit: int) -> int:
    return len(await conn.fetch(DELETE_EXPIRED, now, limit))
