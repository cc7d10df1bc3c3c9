"""The table `blocks`: whom users have blocked. The main store decides, the others have copies (`block_copies`)."""

from collections.abc import Sequence
from datetime import datetime

from synctalk_contracts.models import User
from synctalk_runtime.postgres import Connection

from synctalk_api.store import users

PUT = """\
-- name: blocks.put
insert into blocks (user_id, blocked_id, created_at) values ($1, $2, $3) on conflict do nothing"""


async def put(conn: Connection, user_id: str, blocked_id: str, now: datetime) -> None:
    await conn.execute(PUT, user_id, blocked_id, now)


LIFT = """\
-- name: blocks.lift
delete from blocks where user_id = $1 and blocked_id = $2"""


async def lift(conn: Connection, user_id: str, blocked_id: str) -> None:
    await conn.execute(LIFT, user_id, blocked_id)


PAGE = f"""\
-- name: blocks.page
select {users.COLUMNS}
from blocks b
join users u on u.id = b.blocked_id
where b.user_id = $1 and ($2::uuid is null or b.blocked_id > $2)
order by b.blocked_id
limit $3"""  # noqa: S608


async def page(conn: Connection, user_id: str, after: str | None, limit: int) -> list[User]:
    """Return those whom the user has blocked, by their ids."""
    return [users.from_row(row) for row in await conn.fetch(PAGE, user_id, after, limit)]


BLOCKERS = """\
-- name: blocks.blockers
select user_id from blocks where blocked_id = $1 and user_id = any($2::uuid[])"""


async def blockers(conn: Connection, user_id: str, others: Sequence[str]) -> set[str]:
    """Return those of the others who have blocked the user."""
    return {row["user_id"] for row in await conn.fetch(BLOCKERS, user_id, others)}


AMONG = """\
-- name: blocks.among
select b.user_id, b.blocked_id
from unnest($1::uuid[], $2::uuid[]) as asked(user_id, blocked_id)
join blocks b on b.user_id = asked.user_id and b.blocked_id = asked.blocked_id"""


async def among(conn: Connection, pairs: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return those of the (user, other) in which the user has blocked the other."""
    rows = await conn.fetch(AMONG, [user for user, _ in pairs], [other for _, other in pairs])
    return {(row["user_id"], row["blocked_id"]) for row in rows}


GIVE = """\
-- name: blocks.give
insert into blocks (user_id, blocked_id, created_at)
select case user_id when $1 then $2 else user_id end, case blocked_id when $1 then $2 else blocked_id end, created_at
from blocks
where (user_id = $1 and blocked_id <> $2) or (blocked_id = $1 and user_id <> $2)
on conflict do nothing
returning user_id, blocked_id"""


async def give(conn: Connection, guest_id: str, user_id: str) -> list[tuple[str, str]]:
    """Let the guest's blocks, and those of the guest, hold for the user too; return those that did not before."""
    return [(row["user_id"], row["blocked_id"]) for row in await conn.fetch(GIVE, guest_id, user_id)]
