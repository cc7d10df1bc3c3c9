"""The table `bans`: who is kept out of a group. A ban that is over counts for nothing and stays until the next one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from synctalk_contracts.models import User
from synctalk_runtime.postgres import Connection

from synctalk_api.store import users


@dataclass(frozen=True, slots=True)
class BanRow:
    user: User
    banned_by: str
    reason: str
    until: datetime | None
    created_at: datetime


PUT = """\
-- name: bans.put
insert into bans as b (conversation_id, user_id, banned_by, reason, until, created_at)
values ($1, $2, $3, $4, $5, $6)
on conflict (conversation_id, user_id)
do update set reason = excluded.reason, until = excluded.until,
              banned_by = case when b.until <= $6 then excluded.banned_by else b.banned_by end,
              created_at = case when b.until <= $6 then excluded.created_at else b.created_at end"""


async def put(
    conn: Connection,
    conversation_id: str,
    user_id: str,
    banned_by: str,
    reason: str,
    until: datetime | None,
    now: datetime,
) -> None:
    """Ban the user; of one who is banned already only reason and end change."""
    await conn.execute(PUT, conversation_id, user_id, banned_by, reason, until, now)


LIFT = """\
-- name: bans.lift
delete from bans where conversation_id = $1 and user_id = $2"""


async def lift(conn: Connection, conversation_id: str, user_id: str) -> None:
    await conn.execute(LIFT, conversation_id, user_id)


AMONG = """\
-- name: bans.among
select user_id from bans
where conversation_id = $1 and user_id = any($2::uuid[]) and (until is null or until > $3)"""


async def among(conn: Connection, conversation_id: str, user_ids: Sequence[str], now: datetime) -> list[str]:
    """Return those of the users who are banned now."""
    return [row["user_id"] for row in await conn.fetch(AMONG, conversation_id, user_ids, now)]


PAGE = f"""\
-- name: bans.page
select {users.PREFIXED_COLUMNS}, b.banned_by, b.reason, b.until, b.created_at
from bans b
join users u on u.id = b.user_id
where b.conversation_id = $1 and (b.until is null or b.until > $2) and ($3::uuid is null or b.user_id > $3)
order by b.user_id
limit $4"""  # noqa: S608


async def page(conn: Connection, conversation_id: str, now: datetime, after: str | None, limit: int) -> list[BanRow]:
    """Return the bans that hold now, by the id of the user."""
    rows = await conn.fetch(PAGE, conversation_id, now, after, limit)
    return [
        BanRow(users.from_row(row, "user_"), row["banned_by"], row["reason"], row["until"], row["created_at"])
        for row in rows
    ]
