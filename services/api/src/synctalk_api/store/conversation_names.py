"""The table `conversation_names` of the main store: what host apps call conversations, byte for byte.

The conversation's own row has the name as well, and decides: a name here, of which that row says nothing, was reserved
for a conversation that is about to begin, or is left of one that was deleted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from synctalk_runtime.postgres import Connection

RESERVED_FOR = timedelta(minutes=1)
"""Longer than any transaction is open."""

FIND = """\
-- name: conversation_names.find
select conversation_id, type from conversation_names where external_id = $1"""

RESERVE = """\
-- name: conversation_names.reserve
insert into conversation_names (external_id, conversation_id, type) values ($1, $2, $3)
on conflict do nothing
returning conversation_id"""

RENEW = """\
-- name: conversation_names.renew
update conversation_names set named_at = now() where external_id = $1 and conversation_id = $2
returning conversation_id"""

GIVE = """\
-- name: conversation_names.give
update conversation_names set conversation_id = $3, type = $4, named_at = now()
where external_id = $1 and conversation_id = $2 and ($5::timestamptz is null or named_at < $5)
returning conversation_id"""

RELEASE = """\
-- name: conversation_names.release
delete from conversation_names where external_id = $1 and conversation_id = $2"""


@dataclass(frozen=True, slots=True)
class Place:
    """For which conversation a name is, whether it is there or not."""

    conversation_id: str
    type: str


async def find(conn: Connection, external_id: str) -> Place | None:
    row = await conn.fetchrow(FIND, external_id)
    return None if row is None else Place(*row)


async def reserve(conn: Connection, external_id: str, place: Place) -> bool:
    """Reserve the name; False: it is another one's."""
    return await conn.fetchval(RESERVE, external_id, place.conversation_id, place.type) is not None


async def renew(conn: Connection, external_id: str, conversation_id: str) -> bool:
    """Reserve the name for as long again; False: it is for this conversation no more."""
    return await conn.fetchval(RENEW, external_id, conversation_id) is not None


async def give(
    conn: Connection, external_id: str, before_id: str, place: Place, reserved_before: datetime | None
) -> bool:
    """Reserve the name for another conversation, unless it was for the former one after this time; return whether."""
    given = await conn.fetchval(GIVE, external_id, before_id, place.conversation_id, place.type, reserved_before)
    return given is not None


async def release(conn: Connection, external_id: str, conversation_id: str) -> None:
    """Free the name of this conversation."""
    await conn.execute(RELEASE, external_id, conversation_id)
