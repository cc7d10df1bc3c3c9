"""Blocks in the stores beside the main one, each of which has all of them.

The tables `block_copies` and `block_comparisons`, of the main store, say which blocks a store has yet to take over, and
when all of its blocks were compared.
"""

from collections.abc import Sequence

import asyncpg
from synctalk_runtime.postgres import Connection

Pair = tuple[str, str]
"""A user, and whom they have blocked or did."""

BEFORE_ALL: Pair = ("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000")
LAST: Pair = ("ffffffff-ffff-ffff-ffff-ffffffffffff", "ffffffff-ffff-ffff-ffff-ffffffffffff")

NOTE = """\
-- name: block_copies.note
insert into block_copies (store, user_id, blocked_id)
select store, pair.user_id, pair.blocked_id
from unnest($1::text[]) as store, unnest($2::uuid[], $3::uuid[]) as pair(user_id, blocked_id)"""


async def note(conn: Connection, stores: Sequence[str], pairs: Sequence[Pair]) -> None:
    """Note that these stores have to take over what holds between the pairs when this transaction has ended."""
    await conn.execute(NOTE, stores, *_columns(pairs))


def _columns(pairs: Sequence[Pair]) -> tuple[list[str], list[str]]:
    return [user_id for user_id, _ in pairs], [blocked_id for _, blocked_id in pairs]


TAKE = """\
-- name: block_copies.take
delete from block_copies
where store = $1
      and id in (select id from block_copies where store = $1 order by id limit $2 for update skip locked)
returning user_id, blocked_id"""


async def take(conn: Connection, store: str, limit: int) -> list[Pair]:
    """Take some pairs that the store has to take over; they are left there unless this transaction is committed.

    Each change has a note of its own, so nobody who blocks waits for a store that hangs.
    """
    return [(row["user_id"], row["blocked_id"]) for row in await conn.fetch(TAKE, store, limit)]


LOCK = """\
-- name: block_copies.lock
select pg_advisory_xact_lock(hashtextextended(current_schema || '.block_copies', 0))"""


async def lock(conn: Connection) -> None:
    """Keep others from copying to this store until the transaction ends: what they read may be older."""
    await conn.execute(LOCK)


CURRENT = """\
-- name: block_copies.current
select b.user_id, b.blocked_id, b.created_at
from unnest($1::uuid[], $2::uuid[]) as asked(user_id, blocked_id)
join blocks b on b.user_id = asked.user_id and b.blocked_id = asked.blocked_id"""


async def current(conn: Connection, pairs: Sequence[Pair]) -> list[asyncpg.Record]:
    """Return the blocks among the pairs."""
    return await conn.fetch(CURRENT, *_columns(pairs))


PUT = """\
-- name: block_copies.put
insert into blocks (user_id, blocked_id, created_at)
select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[])
on conflict do nothing"""

REMOVE = """\
-- name: block_copies.remove
delete from blocks b using unnest($1::uuid[], $2::uuid[]) as lifted(user_id, blocked_id)
where b.user_id = lifted.user_id and b.blocked_id = lifted.blocked_id"""


async def write(conn: Connection, pairs: Sequence[Pair], blocks: Sequence[asyncpg.Record]) -> set[Pair]:
    """Store of the pairs these blocks and no others, and return in which of them there is one."""
    holding = [(row["user_id"], row["blocked_id"]) for row in blocks]
    await conn.execute(PUT, *_columns(holding), [row["created_at"] for row in blocks])
    await conn.execute(REMOVE, *_columns([pair for pair in pairs if pair not in holding]))
    return set(holding)


OUTDATED = """\
-- name: block_copies.outdated
select asked.user_id, asked.blocked_id
from unnest($1::text[], $2::uuid[], $3::uuid[], $4::bool[]) as asked(direct_key, user_id, blocked_id, holds)
join conversations c on c.direct_key = asked.direct_key
join members m on m.conversation_id = c.id and m.user_id = asked.user_id
where m.blocks_peer <> asked.holds"""


async def outdated(conn: Connection, by_key: Sequence[tuple[str, Pair, bool]]) -> list[Pair]:
    """Return those of (direct key, pair, block holds) of which their direct conversation, if it is here, says else."""
    keys, pairs = [key for key, _, _ in by_key], [pair for _, pair, _ in by_key]
    rows = await conn.fetch(OUTDATED, keys, *_columns(pairs), [holds for _, _, holds in by_key])
    return [(row["user_id"], row["blocked_id"]) for row in rows]


RANGE = """\
-- name: block_copies.range
select user_id, blocked_id
from blocks
where (user_id, blocked_id) > ($1, $2) and (user_id, blocked_id) <= ($3, $4)
order by user_id, blocked_id
limit $5"""


async def in_range(conn: Connection, after: Pair, until: Pair, limit: int | None) -> list[Pair]:
    """Return all pairs with a block above the one and up to the other, by ascending ids."""
    rows = await conn.fetch(RANGE, *after, *until, limit)
    return [(row["user_id"], row["blocked_id"]) for row in rows]


BEGIN_COMPARISON = """\
-- name: block_comparisons.begin
insert into block_comparisons as c (store, compared_at) values ($1, now())
on conflict (store) do update set compared_at = excluded.compared_at
where c.compared_at < now() - make_interval(secs => $2)
returning true"""


async def begin_comparison(conn: Connection, store: str, interval_s: float) -> bool:
    """Return whether the store's blocks are to be compared by this process: none has within this interval."""
    return await conn.fetchval(BEGIN_COMPARISON, store, interval_s) is not None
