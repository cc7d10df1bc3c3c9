"""The table `messages`: those that are being streamed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from synctalk_runtime.postgres import Connection

from synctalk_api.store.members import JOINED_AFTER
from synctalk_api.store.streams import Stream

AT_ONCE = 100

OLDER_THAN = """\
-- name: streaming.older_than
select id, conversation_id, sender_id, client_message_id, body
from messages
where streaming and created_at < $1
order by created_at
limit $2"""


NOT_SEEING = f"""\
-- name: streaming.not_seeing
select asked.id, c.history = 'since_joined' as hides,
       case when c.history = 'since_joined' then array({JOINED_AFTER}) end as user_ids
from messages asked
join conversations c on c.id = asked.conversation_id
where asked.conversation_id = $1 and asked.id = any($2::uuid[])"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Seen:
    """Who sees messages of a conversation."""

    hides: bool
    """Older messages do not exist for some members."""
    not_seeing: dict[str, list[str]]
    """By message, if there are any."""


async def seen(conn: Connection, conversation_id: str, message_ids: Sequence[str]) -> Seen:
    """Return for which members these messages do not exist."""
    rows = await conn.fetch(NOT_SEEING, conversation_id, message_ids)
    return Seen(any(row["hides"] for row in rows), {row["id"]: row["user_ids"] for row in rows if row["user_ids"]})


async def older_than(conn: Connection, time: datetime) -> list[Stream]:
    """Return the oldest streams that began before this time, with what they began with."""
    return [Stream(*row) for row in await conn.fetch(OLDER_THAN, time, AT_ONCE)]
