"""Table `incoming_messages`: messages received from the bus that wait to be scheduled, many to a row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from synctalk_runtime.postgres import Connection

ADD = """\
-- name: incoming.add
insert into incoming_messages (received_at, due_at, conversation_ids, messages, traceparent)
values ($1, $2, $3, $4, $5)"""

CLAIM_DUE = """\
-- name: incoming.claim_due
update incoming_messages set claimed_until = $2
where id in (select id from incoming_messages
             where due_at <= $1 and (claimed_until is null or claimed_until <= $1)
             order by due_at limit $3 for update skip locked)
returning id, due_at, messages, traceparent, received_at"""

# Made due again since it was claimed, it has another time, and stays due.
FINISH = """\
-- name: incoming.finish
update incoming_messages i set
  due_at = case when i.due_at = done.due_at then null else i.due_at end,
  claimed_until = null
from unnest($1::bigint[], $2::timestamptz[]) as done (id, due_at)
where i.id = done.id"""

POSTPONE = """\
-- name: incoming.postpone
update incoming_messages set due_at = $2, claimed_until = null where id = any($1::bigint[])"""

MAKE_DUE_AGAIN = """\
-- name: incoming.make_due_again
update incoming_messages set due_at = $1
where (due_at is null or claimed_until is not null) and conversation_ids && $2::uuid[]"""

FORGET = """\
-- name: incoming.forget
delete from incoming_messages where due_at is null and received_at < $1"""

GIVE_UP = """\
-- name: incoming.give_up
with old as (delete from incoming_messages where received_at < $1 returning 1)
select count(*) from old"""

ROW_MESSAGES = 200


EVERYBODY = "00000000-0000-0000-0000-000000000000"
"""Among the mentions: all members."""


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    id: str
    conversation_id: str
    seq: int
    change_seq: int
    sender_id: str
    mentions: list[str]
    text: str = ""
    """Its beginning."""
    thread_id: str | None = None
    also_in_conversation: bool = False

    @property
    def thread(self) -> tuple[str, str] | None:
        """Return conversation and thread of a reply that is in a thread alone."""
        return None if self.thread_id is None or self.also_in_conversation else (self.conversation_id, self.thread_id)


_NAMES = tuple(each.name for each in fields(IncomingMessage))
_values: Callable[[IncomingMessage], tuple[Any, ...]] = attrgetter(*_NAMES)


def _stored(message: IncomingMessage) -> dict[str, Any]:
    """Return its fields, as `asdict` does, which copies each value."""
    return dict(zip(_NAMES, _values(message), strict=True))


@dataclass(frozen=True, slots=True)
class IncomingBatch:
    """What one process schedules, for a while."""

    id: int
    due_at: datetime
    messages: list[IncomingMessage]
    traceparent: str | None
    received_at: datetime


async def add(
    conn: Connection, messages: Sequence[IncomingMessage], received_at: datetime, due_at: datetime, trace: str | None
) -> None:
    """Store messages in rows of `ROW_MESSAGES`: after an outage there may be tens of thousands."""
    slices = [messages[start : start + ROW_MESSAGES] for start in range(0, len(messages), ROW_MESSAGES)]
    await conn.executemany(
        ADD,
        [
            (received_at, due_at, sorted({m.conversation_id for m in part}), [_stored(m) for m in part], trace)
            for part in slices
        ],
    )


async def claim_due(conn: Connection, now: datetime, until: datetime, limit: int) -> list[IncomingBatch]:
    return [
        IncomingBatch(
            row["id"],
            row["due_at"],
            [IncomingMessage(**m) for m in row["messages"]],
            row["traceparent"],
            row["received_at"],
        )
        for row in await conn.fetch(CLAIM_DUE, now, until, limit)
    ]


async def finish(conn: Connection, batches: Sequence[IncomingBatch]) -> None:
    """Keep what is scheduled for memberships that arrive late."""
    await conn.execute(FINISH, [batch.id for batch in batches], [batch.due_at for batch in batches])


async def postpone(conn: Connection, batches: Sequence[IncomingBatch], due_at: datetime) -> None:
    await conn.execute(POSTPONE, [batch.id for batch in batches], due_at)


async def make_due_again(conn: Connection, conversation_ids: list[str], now: datetime) -> None:
    """Schedule the messages of these conversations once more, for members that were not known before."""
    await conn.execute(MAKE_DUE_AGAIN, now, conversation_ids)


async def forget(conn: Connection, before: datetime) -> None:
    await conn.execute(FORGET, before)


async def give_up(conn: Connection, before: datetime) -> int:
    """Delete messages that were received before and could not be scheduled since. Return how many batches."""
    return int(await conn.fetchval(GIVE_UP, before))
