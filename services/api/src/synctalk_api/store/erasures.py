"""The tables `erasures` and `erasure_parts` of the main store: users whose messages have to go, and how far that is.

Each store that is not done has a part of its own, which one process at a time works on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from synctalk_runtime.postgres import Connection


@dataclass(frozen=True, slots=True)
class Part:
    """What there is to erase in one store."""

    user_id: str
    after: str
    """The conversations up to this one are done."""


ADD = """\
-- name: erasures.add
insert into erasures (user_id) values ($1) on conflict do nothing"""


async def add(conn: Connection, user_id: str) -> None:
    await conn.execute(ADD, user_id)


BEGIN = """\
-- name: erasure_parts.begin
insert into erasure_parts (store, user_id) select $1, user_id from erasures where not $1 = any(stores)
on conflict do nothing"""


async def begin(conn: Connection, store: str) -> bool:
    """Note what the store has to erase and does not know of; return whether there is any."""
    return await conn.execute(BEGIN, store) != "INSERT 0 0"


TAKE = """\
-- name: erasure_parts.take
select user_id, after from erasure_parts
where store = $1 and due_at <= now()
order by due_at
limit 1
for update skip locked"""


async def take(conn: Connection, store: str) -> Part | None:
    """Lock one that is due until the transaction ends; None: there is none that no process works on."""
    row = await conn.fetchrow(TAKE, store)
    return None if row is None else Part(*row)


CONTINUE = """\
-- name: erasure_parts.continue
update erasure_parts set after = $3 where store = $1 and user_id = $2"""


async def continue_from(conn: Connection, store: str, part: Part) -> None:
    await conn.execute(CONTINUE, store, part.user_id, part.after)


POSTPONE = """\
-- name: erasure_parts.postpone
update erasure_parts set due_at = now() + make_interval(secs => $3) where store = $1 and user_id = $2"""


async def postpone(conn: Connection, store: str, user_id: str, seconds: float) -> None:
    await conn.execute(POSTPONE, store, user_id, seconds)


END_PART = """\
-- name: erasure_parts.end
with ended as (
  delete from erasure_parts where store = $1 and user_id = $2
)
update erasures set stores = array_append(stores, $1) where user_id = $2
returning stores"""

FINISH = """\
-- name: erasures.finish
delete from erasures where user_id = $1"""


async def end_part(conn: Connection, store: str, user_id: str, stores: Sequence[str]) -> bool:
    """Note that this store is done; return whether all of these are, and the erasure with them."""
    done = await conn.fetchval(END_PART, store, user_id)
    if done is None or not set(stores) <= set(done):
        return False
    await conn.execute(FINISH, user_id)
    return True


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
