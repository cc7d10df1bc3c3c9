"""The table `erasures` of the main store: users whose messages have to go, and how far that has come."""

from collections.abc import Sequence
from dataclasses import dataclass

from synctalk_runtime.postgres import Connection


@dataclass(frozen=True, slots=True)
class Erasure:
    user_id: str
    stores: list[str]
    """Those that are done."""
    after: str
    """In the next one, the conversations up to this one are done."""


ADD = """\
-- name: erasures.add
insert into erasures (user_id) values ($1) on conflict do nothing"""


async def add(conn: Connection, user_id: str) -> None:
    await conn.execute(ADD, user_id)


TAKE = """\
-- name: erasures.take
select user_id, stores, after from erasures order by user_id limit 1 for update skip locked"""


async def take(conn: Connection) -> Erasure | None:
    """Lock one until the transaction ends; None: there is none that no process works on."""
    row = await conn.fetchrow(TAKE)
    return None if row is None else Erasure(*row)


CONTINUE = """\
-- name: erasures.continue
update erasures set stores = $2, after = $3 where user_id = $1"""


async def continue_from(conn: Connection, erasure: Erasure) -> None:
    await conn.execute(CONTINUE, erasure.user_id, erasure.stores, erasure.after)


FINISH = """\
-- name: erasures.finish
delete from erasures where user_id = $1"""


async def finish(conn: Connection, user_id: str) -> None:
    await conn.execute(FINISH, user_id)


CONVERSATIONS = """\
-- name: erasures.conversations
select conversation_id
from (
  (select conversation_id from members
   where user_id = $1 and left_at is null and conversation_id > $2 order by conversation_id limit $3)
  union all
  (select conversation_id from members
   where user_id = $1 and left_at is not null and conversation_id > $2 order by conversation_id limit $3)
) all_of_them
order by conversation_id
limit $3"""


async def conversations(conn: Connection, user_id: str, after: str, limit: int) -> list[str]:
    """Return the conversations that the user is or was in, above this one."""
    return [row["conversation_id"] for row in await conn.fetch(CONVERSATIONS, user_id, after, limit)]


MESSAGES = """\
-- name: erasures.messages
select id
from messages
where conversation_id = $1 and sender_id = $2 and deleted_at is null and system is null
limit $3"""


async def messages(conn: Connection, conversation_id: str, user_id: str, limit: int) -> Sequence[str]:
    """Return some of the user's messages that are left in a conversation."""
    return [row["id"] for row in await conn.fetch(MESSAGES, conversation_id, user_id, limit)]
