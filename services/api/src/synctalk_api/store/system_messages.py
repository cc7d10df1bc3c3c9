"""System messages: rows of the table `messages` that are written with what they say has happened."""

from collections.abc import Sequence
from datetime import datetime

import orjson
from synctalk_contracts.events.messages import MessageCreated
from synctalk_contracts.ids import format_time
from synctalk_runtime.postgres import Connection

from synctalk_api.store import outbox
from synctalk_api.store.messages import MessageRow

INSERT = """\
-- name: system_messages.insert
with asked as (
  select *
  from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::uuid[], $6::text[], $7::text[], $8::jsonb[])
       as a(conversation_id, seq, id, change_seq, sender_id, client_message_id, body, system)
), written as (
  insert into messages (conversation_id, seq, id, change_seq, sender_id, client_message_id, body, mentions, created_at,
                        system)
  select conversation_id, seq, id, change_seq, sender_id, client_message_id, body, '{}', $9, system from asked
), counted as (
  update conversations c
  set last_seq = n.last_seq, change_seq = greatest(c.change_seq, n.change_seq), active_at = $9, updated_at = $9
  from (select conversation_id as id, max(seq) as last_seq, max(change_seq) as change_seq
        from asked group by conversation_id) as n
  where c.id = n.id
)
insert into outbox (type, envelope) select * from unnest($10::text[], $11::text[])"""


async def insert(conn: Connection, rows: Sequence[MessageRow], now: datetime) -> None:
    """Insert them, with their events, into conversations that are locked; nobody's watermarks rise."""
    if not rows:
        return
    events = [
        outbox.row(MessageCreated, {"message": orjson.Fragment(row.to_json())}, format_time(now), None) for row in rows
    ]
    await conn.execute(
        INSERT,
        [row.conversation_id for row in rows],
        [row.seq for row in rows],
        [row.id for row in rows],
        [row.change_seq for row in rows],
        [row.sender_id for row in rows],
        [row.client_message_id for row in rows],
        [row.body for row in rows],
        [row.system for row in rows],
        now,
        [type_name for type_name, _ in events],
        [envelope for _, envelope in events],
    )
