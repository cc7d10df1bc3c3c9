"""Tables `feed`, `feed_end` and `feed_receipts`: the events for host apps, numbered in one order.

Whoever numbers locks the row of `feed_end` first, so that numbers become visible in their order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from synctalk_contracts.ids import format_time
from synctalk_runtime.postgres import Connection

LOCK = """\
-- name: feed.lock
select last from feed_end for update"""

ADD = """\
-- name: feed.add
with added as (
  insert into feed (n, id, type, created_at, taken_at, conversation_id, subject_id, data)
  select $1 + row_number() over (order by given.place), given.id, given.type, given.created_at, $2,
         given.conversation_id, given.subject_id, given.data
  from unnest($3::uuid[], $4::text[], $5::timestamptz[], $6::uuid[], $7::uuid[], $8::text[])
    with ordinality as given (id, type, created_at, conversation_id, subject_id, data, place)
  where not exists (select from feed f where f.id = given.id)
  returning n)
update feed_end set last = (select max(n) from added) where exists (select from added)
returning last"""

REDACT = """\
-- name: feed.redact
update feed f set data = given.data
from unnest($1::uuid[], $2::text[]) as given (subject_id, data)
where f.subject_id = given.subject_id and f.data <> given.data"""

EMPTY = """\
-- name: feed.empty
update feed set data = jsonb_set(data::jsonb, '{message}', (data::jsonb -> 'message') || $2::jsonb)::text
where conversation_id = $1 and type like 'message.%'"""

END = """\
-- name: feed.end
select first, last from feed_end"""

PAGE = """\
-- name: feed.page
select n, id, type, created_at, data from feed where n > $1 and n <= $2 order by n limit $3"""

PAGE_OF_TYPES = """\
-- name: feed.page_of_types
select of_type.* from unnest($4::text[]) as wanted (type)
cross join lateral (
  select f.n, f.id, f.type, f.created_at, f.data from feed f
  where f.type = wanted.type and f.n > $1 and f.n <= $2 order by f.n limit $3) of_type
order by of_type.n limit $3"""

KEEP_RECEIPTS = """\
-- name: feed.keep_receipts
insert into feed_receipts (conversation_id, user_id, seq, id, since)
select given.conversation_id, given.user_id, given.seq, given.id, $5
from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[]) as given (conversation_id, user_id, seq, id)
order by given.conversation_id, given.user_id
on conflict (conversation_id, user_id) do update set seq = greatest(feed_receipts.seq, excluded.seq)"""

TAKE_RECEIPTS = """\
-- name: feed.take_receipts
delete from feed_receipts where since <= $1
returning conversation_id, user_id, seq, id, since"""

HAS_RECEIPTS = """\
-- name: feed.has_receipts
select exists (select from feed_receipts)"""

FORGET = """\
-- name: feed.forget
with old as (
  delete from feed
  where n in (select f.n from feed f order by f.n limit $2) and taken_at < $1
  returning n)
update feed_end set first = (select max(n) + 1 from old) where exists (select from old)
returning (select count(*) from old)"""


NOTHING_SAID = {
    "body": "",
    "reactions": {},
    "reaction_counts": {},
    "mentions": [],
    "mention_all": False,
    "pinned_at": None,
    "pinned_by": None,
    "metadata": {},
    "forwarded_from": None,
    "files": [],
    "previews": [],
}


@dataclass(frozen=True, slots=True)
class FeedItem:
    id: str
    type: str
    created_at: datetime
    conversation_id: str | None
    subject_id: str | None
    data: str
    """JSON."""


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    n: int
    json: bytes
    """A `FeedEvent`."""


@dataclass(frozen=True, slots=True)
class Receipt:
    conversation_id: str
    user_id: str
    seq: int
    id: str
    """Of the event that it becomes."""
    since: datetime


def event_json(event_id: str, type_name: str, created_at: datetime, data: str) -> bytes:
    """Return a `FeedEvent`: the same bytes whenever it is read."""
    return orjson.dumps(
        {"id": event_id, "type": type_name, "created_at": format_time(created_at), "data": orjson.Fragment(data)}
    )


async def add(conn: Connection, items: Sequence[FeedItem], now: datetime) -> bool:
    """Number and add events, but those that are there already. Return whether any was new."""
    by_id = {item.id: item for item in items}
    if not by_id:
        return False
    last = await conn.fetchval(LOCK)
    new = list(by_id.values())
    added = await conn.fetchval(
        ADD,
        last,
        now,
        [item.id for item in new],
        [item.type for item in new],
        [item.created_at for item in new],
        [item.conversation_id for item in new],
        [item.subject_id for item in new],
        [item.data for item in new],
    )
    return added is not None


async def redact(conn: Connection, data: dict[str, str]) -> None:
    """Replace what all events say of a message or user, by its id. Their ids, types and places stay."""
    await conn.execute(REDACT, list(data), list(data.values()))


async def empty(conn: Connection, conversation_id: str, deleted_at: datetime) -> None:
    """Leave nothing of what was said in a conversation: its messages are shown as deleted ones."""
    await conn.execute(EMPTY, conversation_id, NOTHING_SAID | {"deleted_at": format_time(deleted_at)})


async def end(conn: Connection) -> tuple[int, int]:
    """Return the first number that is kept, and the last one given."""
    row = await conn.fetchrow(END)
    assert row is not None
    return row["first"], row["last"]


async def page(conn: Connection, after: int, last: int, limit: int, types: Sequence[str]) -> list[NumberedEvent]:
    """Return the next events after a number, at most up to `last`; without `types` those of all."""
    if types:
        rows = await conn.fetch(PAGE_OF_TYPES, after, last, limit, types)
    else:
        rows = await conn.fetch(PAGE, after, last, limit)
    return [NumberedEvent(row["n"], event_json(row["id"], row["type"], row["created_at"], row["data"])) for row in rows]


async def keep_receipts(conn: Connection, receipts: Sequence[Receipt], now: datetime) -> None:
    latest: dict[tuple[str, str], Receipt] = {}
    for receipt in receipts:
        known = latest.get((receipt.conversation_id, receipt.user_id))
        if known is None or known.seq < receipt.seq:
            latest[receipt.conversation_id, receipt.user_id] = receipt
    kept = list(latest.values())
    await conn.execute(
        KEEP_RECEIPTS,
        [receipt.conversation_id for receipt in kept],
        [receipt.user_id for receipt in kept],
        [receipt.seq for receipt in kept],
        [receipt.id for receipt in kept],
        now,
    )


async def take_receipts(conn: Connection, before: datetime) -> list[Receipt]:
    return [Receipt(**row) for row in await conn.fetch(TAKE_RECEIPTS, before)]


async def has_receipts(conn: Connection) -> bool:
    return bool(await conn.fetchval(HAS_RECEIPTS))


async def forget(conn: Connection, before: datetime, limit: int) -> int:
    """Delete the oldest events that were taken in before, at most `limit`. Return how many."""
    return int(await conn.fetchval(FORGET, before, limit) or 0)
