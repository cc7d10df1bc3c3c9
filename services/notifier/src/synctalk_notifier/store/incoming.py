"""Table `incoming_messages`: messages received from the bus that wait to be scheduled, many to a row."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from synctalk_runtime.postgres import Connection

ADD = """\
-- name: incoming.add
insert into incoming_messages (received_at, due_at, conversation_ids, messages, traceparent)
values ($1, $2, $3, $4, $5)"""

TAKE_DUE = """\
-- name: incoming.take_due
update incoming_messages set due_at = null
where id in (select id from incoming_messages where due_at <= $1 order by due_at limit $2 for update skip locked)
returning messages, traceparent"""

MAKE_DUE_AGAIN = """\
-- name: incoming.make_due_again
update incoming_messages set due_at = $1 where due_at is null and conversation_ids && $2::uuid[]"""

FORGET = """\
-- name: incoming.forget
delete from incoming_messages where due_at is null and received_at < $1"""

ROW_MESSAGES = 200


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    id: str
    conversation_id: str
    seq: int
    change_seq: int
    sender_id: str
    mentions: list[str]


@dataclass(frozen=True, slots=True)
class IncomingBatch:
    messages: list[IncomingMessage]
    traceparent: str | None


async def add(
    conn: Connection, messages: Sequence[IncomingMessage], received_at: datetime, due_at: datetime, trace: str | None
) -> None:
    """Store messages in rows of `ROW_MESSAGES`: after an outage there may be tens of thousands."""
    slices = [messages[start : start + ROW_MESSAGES] for start in range(0, len(messages), ROW_MESSAGES)]
    await conn.executemany(
        ADD,
        [
            (received_at, due_at, sorted({m.conversation_id for m in part}), [asdict(m) for m in part], trace)
            for part in slices
        ],
    )


async def take_due(conn: Connection, now: datetime, limit: int) -> list[IncomingBatch]:
    rows = await conn.fetch(TAKE_DUE, now, limit)
    return [IncomingBatch([IncomingMessage(**m) for m in row["messages"]], row["traceparent"]) for row in rows]


async def make_due_again(conn: Connection, conversation_ids: list[str], now: datetime) -> None:
    """Schedule the messages of these conversations once more, for members that were not known before."""
    await conn.execute(MAKE_DUE_AGAIN, now, conversation_ids)


async def forget(conn: Connection, before: datetime) -> None:
    await conn.execute(FORGET, before)
