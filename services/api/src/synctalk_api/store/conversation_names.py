"""The table `conversation_names` of the main store: what host apps call conversations, byte for byte.

The conversation's own row has the name as well, and decides: a name here, of which that row says nothing, was reserved
for a conversation that is about to begin, or is left of one that was deleted.
"""

from datetime import datetime, timedelta

from synctalk_runtime.postgres import Connection

RESERVED_FOR = timedelta(minutes=1)
"""Longer than any transaction is open."""

FIND = """\
-- name: conversation_names.find
select conversation_id from conversation_names where external_id = $1"""

RESERVE = """\
-- name: conversation_names.reserve
insert into conversation_names (external_id, conversation_id) values ($1, $2) on conflict do nothing"""

GIVE = """\
-- name: conversation_names.give
update conversation_names set conversation_id = $3, named_at = now()
where external_id = $1 and conversation_id = $2 and named_at < $4"""

RELEASE = """\
-- name: conversation_names.release
delete from conversation_names where external_id = $1 and conversation_id = $2"""


async def find(conn: Connection, external_id: str) -> str | None:
    """Return the conversation that has, had or will have this name; None: there is none."""
    found: str | None = await conn.fetchval(FIND, external_id)
    return found


async def reserve(conn: Connection, external_id: str, conversation_id: str) -> None:
    """Give the name to this conversation, unless it is another one's."""
    await conn.execute(RESERVE, external_id, conversation_id)


async def give(conn: Connection, external_id: str, before_id: str, conversation_id: str, before: datetime) -> None:
    """Give the name, which `before_id` was given before this time, to another conversation."""
    await conn.execute(GIVE, external_id, before_id, conversation_id, before)


async def release(conn: Connection, external_id: str, conversation_id: str) -> None:
    """Free the name of this conversation."""
    await conn.execute(RELEASE, external_id, conversation_id)
