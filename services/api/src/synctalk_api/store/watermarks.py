"""The table `members`: how far each has received and read."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg
from synctalk_contracts.events.receipts import ReceiptRead
from synctalk_contracts.ids import format_time
from synctalk_runtime.postgres import Connection

RAISE_WATERMARKS = """\
-- name: watermarks.raise_watermarks
with asked as (
  select w.conversation_id, w.user_id, least(greatest(w.delivered, w.read), c.last_seq) as delivered,
         least(w.read, c.last_seq) as read, w.read > 0 as reads
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) as w(conversation_id, user_id, delivered, read)
  join conversations c on c.id = w.conversation_id
), locked as (
  select m.conversation_id, m.user_id, greatest(m.delivered_seq, asked.delivered) as delivered,
         greatest(m.read_seq, asked.read) as read, asked.read > m.read_seq as read_rose,
         asked.delivered > m.delivered_seq or asked.read > m.read_seq as rose,
         asked.reads and m.marked_unread_at is not null as unmarked
  from asked
  join members m on m.conversation_id = asked.conversation_id and m.user_id = asked.user_id
  where m.left_at is null
        and (asked.delivered > m.delivered_seq or asked.read > m.read_seq
             or asked.reads and m.marked_unread_at is not null)
  order by m.conversation_id, m.user_id
  for no key update of m
), raised as (
  update members m
  set delivered_seq = locked.delivered, read_seq = locked.read,
      marked_unread_at = case when not locked.unmarked then m.marked_unread_at end
  from locked
  where m.conversation_id = locked.conversation_id and m.user_id = locked.user_id
), published as (
  insert into outbox (type, envelope)
  select $5, json_build_object('id', gen_random_uuid(), 'type', $5::text, 'time', $6::text, 'payload',
                               json_build_object('conversation_id', conversation_id, 'user_id', user_id,
                                                 'read_seq', read))
  from locked where read_rose
)
select m.conversation_id, m.user_id, locked.delivered, locked.read, coalesce(locked.rose, false) as rose,
       coalesce(locked.unmarked, false) as unmarked
from asked
join members m on m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.left_at is null
left join locked on locked.conversation_id = m.conversation_id and locked.user_id = m.user_id"""


@dataclass(frozen=True, slots=True)
class Watermarks:
    delivered: int
    read: int


async def raise_watermarks(
    conn: Connection, wanted: dict[tuple[str, str], Watermarks], now: datetime
) -> list[asyncpg.Record]:
    """Raise the watermarks that rise, with the events of what was read, in one statement.

    A read ends that the member marked the conversation unread. Returns one row for each (conversation, user) that is a
    member: what it has now, whether it rose, and whether such a mark ended.
    """
    return await conn.fetch(
        RAISE_WATERMARKS,
        [conversation_id for conversation_id, _ in wanted],
        [user_id for _, user_id in wanted],
        [w.delivered for w in wanted.values()],
        [w.read for w in wanted.values()],
        ReceiptRead.type_name(),
        format_time(now),
    )


RECEIPTS = """\
-- name: watermarks.receipts
select user_id, delivered_seq >= $3 as delivered, read_seq >= $3 as read
from members
where conversation_id = $1 and user_id <> $2 and left_at is null and ($4::uuid is null or user_id > $4)
order by user_id
limit $5"""


async def receipts(
    conn: Connection, conversation_id: str, user_id: str, seq: int, after: str | None, limit: int
) -> list[asyncpg.Record]:
    return await conn.fetch(RECEIPTS, conversation_id, user_id, seq, after, limit)
