"""Pages of a conversation's history by threads: the replies in one, or all that is not in threads alone."""

from synctalk_runtime.postgres import Connection

from synctalk_api.store.messages import COLUMNS, MessageRow

BEFORE = f"""\
-- name: thread_pages.before
select {COLUMNS}, m.reactions
from displayed_messages m
where m.conversation_id = $1 and m.thread_id = $2 and m.seq < $3 and m.seq > $5
order by m.seq desc
limit $4"""  # noqa: S608


async def before(
    conn: Connection, conversation_id: str, thread_id: str, seq: int, limit: int, begins_after: int
) -> list[MessageRow]:
    """Return the newest replies below `seq` and above `begins_after`, ascending."""
    rows = await conn.fetch(BEFORE, conversation_id, thread_id, seq, limit, begins_after)
    return [MessageRow.from_row(row) for row in reversed(rows)]


AFTER = f"""\
-- name: thread_pages.after
select {COLUMNS}, m.reactions
from displayed_messages m
where m.conversation_id = $1 and m.thread_id = $2 and m.seq > $3
order by m.seq
limit $4"""  # noqa: S608


async def after(conn: Connection, conversation_id: str, thread_id: str, seq: int, limit: int) -> list[MessageRow]:
    """Return the oldest replies above `seq`, ascending."""
    rows = await conn.fetch(AFTER, conversation_id, thread_id, seq, limit)
    return [MessageRow.from_row(row) for row in rows]


TOP_LEVEL_BEFORE = f"""\
-- name: thread_pages.top_level_before
select {COLUMNS}, m.reactions
from displayed_messages m
where m.conversation_id = $1 and (m.thread_id is null or m.also_in_conversation) and m.seq < $2
      and m.seq > $4
order by m.seq desc
limit $3"""  # noqa: S608


async def top_level_before(
    conn: Connection, conversation_id: str, seq: int, limit: int, begins_after: int
) -> list[MessageRow]:
    """Return the newest messages below `seq` and above `begins_after` that are not in threads alone, ascending."""
    rows = await conn.fetch(TOP_LEVEL_BEFORE, conversation_id, seq, limit, begins_after)
    return [MessageRow.from_row(row) for row in reversed(rows)]


TOP_LEVEL_AFTER = f"""\
-- name: thread_pages.top_level_after
select {COLUMNS}, m.reactions
from displayed_messages m
where m.conversation_id = $1 and (m.thread_id is null or m.also_in_conversation) and m.seq > $2
order by m.seq
limit $3"""  # noqa: S608


async def top_level_after(conn: Connection, conversation_id: str, seq: int, limit: int) -> list[MessageRow]:
    """Return the oldest messages above `seq` that are not in threads alone, ascending."""
    rows = await conn.fetch(TOP_LEVEL_AFTER, conversation_id, seq, limit)
    return [MessageRow.from_row(row) for row in rows]
