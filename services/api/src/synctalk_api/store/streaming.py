"""The table `messages`: those that are being streamed."""

from datetime import datetime

from synctalk_runtime.postgres import Connection

from synctalk_api.store.streams import Stream

AT_ONCE = 100

OLDER_THAN = """\
-- name: streaming.older_than
select id, conversation_id, sender_id, client_message_id, body
from messages
where streaming and created_at < $1
order by created_at
limit $2"""


async def older_than(conn: Connection, time: datetime) -> list[Stream]:
    """Return the oldest streams that began before this time, with what they began with."""
    return [Stream(*row) for row in await conn.fetch(OLDER_THAN, time, AT_ONCE)]
