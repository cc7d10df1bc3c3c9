"""The table `user_copies` of the main store: users whose new name or picture other stores do not have yet."""

from collections.abc import Sequence

from synctalk_runtime.postgres import Connection

NOTE = """\
-- name: user_copies.note
insert into user_copies (store, user_id) select store, $2 from unnest($1::text[]) as store
on conflict do nothing"""


async def note(conn: Connection, stores: Sequence[str], user_id: str) -> None:
    """Note that these stores have to get the user as they are when this transaction has ended."""
    await conn.execute(NOTE, stores, user_id)


TAKE = """\
-- name: user_copies.take
delete from user_copies
where (store, user_id) in (select store, user_id from user_copies where store = $1 limit $2 for update skip locked)
returning user_id"""


async def take(conn: Connection, store: str, limit: int) -> list[str]:
    """Take some users whom the store has to get; they are left there unless this transaction is committed."""
    return [row["user_id"] for row in await conn.fetch(TAKE, store, limit)]
