"""System messages: rows of the table `messages` that are written with what they say has happened."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import orjson
from synctalk_contracts.events.messages import MessageCreated
from synctalk_contracts.ids import format_time
from synctalk_runtime.postgres import Connection

from synctalk_api.store import outbox
from synctalk_api.store.messages import COLUMNS, MessageRow

INSERT = """\
-- name: system_messages.insert
with asked as (
  select *
  from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::uuid[], $6::text[], $7::text[], $8::jsonb[],
              $12::jsonb[])
       as a(conversation_id, seq, id, change_seq, sender_id, client_message_id, body, system, metadata)
), written as (
  insert into messages (conversation_id, seq, id, change_seq, sender_id, client_message_id, body, mentions, created_at,
                        system, metadata)
  select conversation_id, seq, id, change_seq, sender_id, client_message_id, body, '{}', $9, system, metadata
  from asked
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
        [row.metadata for row in rows],
    )


LOCK = """\
-- name: system_messages.lock
select id, last_seq, change_seq, archived_at from conversations
where id = any($1::uuid[]) and deleted_at is null
order by id
for no key update"""

SAID = f"""\
-- name: system_messages.said
select {COLUMNS}, m.reactions
from unnest($1::uuid[], $2::text[]) as asked(conversation_id, client_message_id)
join displayed_messages m on m.conversation_id = asked.conversation_id and m.sender_id = $3
                             and m.client_message_id = asked.client_message_id"""  # noqa: S608


async def lock(conn: Connection, conversation_ids: Sequence[str]) -> dict[str, asyncpg.Record]:
    """Lock conversations and return their numbers, and since when they are archived; deleted ones are left out."""
    return {row["id"]: row for row in await conn.fetch(LOCK, sorted(set(conversation_ids)))}


async def said(conn: Connection, sender_id: str, asked: Sequence[tuple[str, str]]) -> dict[tuple[str, str], MessageRow]:
    """Return what this sender has sent by (conversation, client_message_id)."""
    rows = await conn.fetch(SAID, [c for c, _ in asked], [k for _, k in asked], sender_id)
    return {(row["conversation_id"], row["client_message_id"]): MessageRow.from_row(row) for row in rows}
