"""Table `heard`: messages on hold, as they came from the bus, many to a row."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from synctalk_runtime.postgres import Connection

ADD = """\
-- name: heard.add
insert into heard (heard_at, due_at, conversation_ids, messages, traceparent) values ($1, $2, $3, $4, $5)"""

TAKE_DUE = """\
-- name: heard.take_due
update heard set due_at = null
where id in (select id from heard where due_at <= $1 order by due_at limit $2 for update skip locked)
returning messages, traceparent"""

MAKE_DUE_AGAIN = """\
-- name: heard.make_due_again
update heard set due_at = $1 where due_at is null and conversation_ids && $2::uuid[]"""

FORGET = """\
-- name: heard.forget
delete from heard where due_at is null and heard_at < $1"""

ROW_MESSAGES = 200


@dataclass(frozen=True, slots=True)
class HeardMessage:
    id: str
    conversation_id: str
    seq: int
    change_seq: int
    sender_id: str
    mentions: list[str]


@dataclass(frozen=True, slots=True)
class HeardBatch:
    messages: list[HeardMessage]
    traceparent: str | None


async def add(
    conn: Connection, messages: Sequence[HeardMessage], heard_at: datetime, due_at: datetime, trace: str | None
) -> None:
    """In rows of `ROW_MESSAGES`: what is heard after an outage may be tens of thousands."""
    slices = [messages[start : start + ROW_MESSAGES] for start in range(0, len(messages), ROW_MESSAGES)]
    await conn.executemany(
        ADD,
        [
            (heard_at, due_at, sorted({m.conversation_id for m in part}), [asdict(m) for m in part], trace)
            for part in slices
        ],
    )


async def take_due(conn: Connection, now: datetime, limit: int) -> list[HeardBatch]:
    rows = await conn.fetch(TAKE_DUE, now, limit)
    return [HeardBatch([HeardMessage(**m) for m in row["messages"]], row["traceparent"]) for row in rows]


async def make_due_again(conn: Connection, conversation_ids: list[str], now: datetime) -> None:
    """Somebody was heard to be in these conversations: look again at what was decided without them."""
    await conn.execute(MAKE_DUE_AGAIN, now, conversation_ids)


async def forget(conn: Connection, before: datetime) -> None:
    await conn.execute(FORGET, before)
