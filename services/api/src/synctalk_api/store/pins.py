"""The pinned messages of a conversation: columns of the table `messages`, read in the sequence of pinning."""

from datetime import datetime

from synctalk_runtime.postgres import Connection

from synctalk_api.store.messages import COLUMNS, MessageRow

PAGE = f"""\
-- name: pins.page
select {COLUMNS}, m.reactions
from displayed_messages m
where m.conversation_id = $1 and m.pinned_at is not null and m.seq > $5
      and ($2::timestamptz is null or (m.pinned_at, m.seq) < ($2, $3::bigint))
order by m.pinned_at desc, m.seq desc
limit $4"""  # noqa: S608


async def page(
    conn: Connection, conversation_id: str, position: tuple[datetime, int] | None, limit: int, begins_after: int
) -> list[MessageRow]:
    """Return the pinned messages above `begins_after`, the latest pin first, after this time of pinning and `seq`."""
    at, seq = position or (None, None)
    return [MessageRow.from_row(row) for row in await conn.fetch(PAGE, conversation_id, at, seq, limit, begins_after)]
