"""The tables `messages`, `reactions`, `reaction_kinds` and `revisions`: reading and writing for changes of messages."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
from synctalk_runtime.postgres import Connection

from synctalk_api.store.messages import COLUMNS, MessageRow

LOCK_FOR_CHANGE = """\
-- name: messages.lock_for_change
with asked as (
  select * from unnest($1::int[], $2::uuid[], $3::uuid[], $4::timestamptz[]) as a(n, conversation_id, user_id, deadline)
), locked as (
  select a.n, c.type, c.last_seq, c.change_seq, c.members_count, c.pins_count, c.system_messages, c.archived_at, m.role,
         m.muted_until, m.blocked_by_peer, a.deadline, c.history = 'since_joined' as hides,
         begins_after(c.history, m.joined_seq, c.id, m.joined_at) as begins_after
  from asked a
  join conversations c on c.id = a.conversation_id
  join members m on m.conversation_id = a.conversation_id and m.user_id = a.user_id and m.left_at is null
  order by a.conversation_id, a.user_id, a.n
  for no key update of c, m
)
select n, type, last_seq, change_seq, members_count, pins_count, system_messages, role, archived_at, muted_until,
       blocked_by_peer, hides, begins_after,
       coalesce(deadline < clock_timestamp(), false) as late from locked"""


async def lock_for_change(
    conn: Connection, conversation_ids: list[str], user_ids: list[str], deadlines: list[datetime | None]
) -> dict[int, asyncpg.Record]:
    """Lock as for sending, and return by position the type, numbers and role, since when it is archived, until when
    the user is muted, whether they are blocked in a direct one, whether there are members for whom messages do not
    exist and up to which `seq` they don't for this one, and whether the deadline has passed.

    The messages are read after that, so that none is stale.
    """
    numbers = list(range(len(conversation_ids)))
    rows = await conn.fetch(LOCK_FOR_CHANGE, numbers, conversation_ids, user_ids, deadlines)
    return {row["n"]: row for row in rows}


FOR_CHANGE = f"""\
-- name: messages.for_change
select {COLUMNS},
       (select json_object_agg(kind.emoji, json_build_array(kind.count, listed.user_ids) order by listed.first)
        from (select k.emoji, k.count, count(*) over () as kinds
              from reaction_kinds k
              where k.conversation_id = m.conversation_id and k.message_id = m.id) kind
        cross join lateral (
          select json_agg(r.user_id order by r.position) as user_ids, min(r.position) as first
          from (select x.user_id, x.position
                from reactions x
                where x.conversation_id = m.conversation_id and x.message_id = m.id and x.emoji = kind.emoji
                order by x.position
                limit least(100, 500 / greatest(1, kind.kinds - $3::int)) + $3) r
        ) listed
        where listed.first is not null) as reactions
from (select distinct conversation_id, id from unnest($1::uuid[], $2::uuid[]) as a(conversation_id, id)) asked
join messages m on m.conversation_id = asked.conversation_id and m.id = asked.id"""  # noqa: S608


async def for_change(
    conn: Connection, wanted: Sequence[tuple[str, str]], reactions: int
) -> dict[tuple[str, str], MessageRow]:
    """Return the messages by (conversation, id), listing enough users who reacted to know the first ones afterwards.

    `reactions` is the number of reactions that may be taken back.
    """
    rows = await conn.fetch(FOR_CHANGE, [c for c, _ in wanted], [m for _, m in wanted], reactions)
    return {(row["conversation_id"], row["id"]): MessageRow.from_row(row) for row in rows}


REACTED = """\
-- name: messages.reacted
select asked.n
from unnest($1::int[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[]) as asked(n, conversation_id, message_id, emoji,
                                                                                 user_id)
join reactions r on r.conversation_id = asked.conversation_id and r.message_id = asked.message_id
                    and r.emoji = asked.emoji and r.user_id = asked.user_id"""

FIRST_POSITION = 1 << 52
"""Above all that earlier versions took from a sequence: reactions are ordered by position, as they came."""

Reaction = tuple[str, str, str, str]
"""conversation, message, emoji, user"""


async def reacted(conn: Connection, asked: Sequence[Reaction]) -> set[Reaction]:
    """Return those of the reactions that exist."""
    rows = await conn.fetch(REACTED, list(range(len(asked))), *_columns(asked))
    return {asked[row["n"]] for row in rows}


WRITE_CHANGES = """\
-- name: messages.write_changes
with changed as (
  update messages m
  set change_seq = x.change_seq, body = x.body, mentions = x.mentions::uuid[], edited_at = x.edited_at,
      mention_all = x.mention_all, deleted_at = x.deleted_at, pinned_at = x.pinned_at, pinned_by = x.pinned_by,
      digest = case when x.deleted_at is null then m.digest end,
      metadata = case when x.deleted_at is null then m.metadata else '{}' end,
      forwarded_from = case when x.deleted_at is null then m.forwarded_from end,
      files = case when x.deleted_at is null then m.files else '[]' end,
      streaming = x.streaming, interrupted = x.interrupted
  from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
              $28::timestamptz[], $29::uuid[], $35::bool[], $43::bool[], $44::bool[])
       as x(conversation_id, seq, change_seq, body, mentions, edited_at, deleted_at, pinned_at, pinned_by, mention_all,
            streaming, interrupted)
  where m.conversation_id = x.conversation_id and m.seq = x.seq
), taken_back as (
  delete from reactions r
  using unnest($8::uuid[], $9::uuid[], $10::text[], $11::uuid[]) as x(conversation_id, message_id, emoji, user_id)
  where r.conversation_id = x.conversation_id and r.message_id = x.message_id and r.emoji = x.emoji
        and r.user_id = x.user_id
), reacted as (
  insert into reactions (conversation_id, message_id, emoji, user_id, position)
  select * from unnest($12::uuid[], $13::uuid[], $14::text[], $15::uuid[], $27::bigint[])
), kinds as materialized (
  select x.conversation_id, x.message_id, x.emoji,
         x.more + (select count(*) from reactions r
                   where r.conversation_id = x.conversation_id and r.message_id = x.message_id
                         and r.emoji = x.emoji) as count
  from unnest($16::uuid[], $17::uuid[], $18::text[], $19::int[]) as x(conversation_id, message_id, emoji, more)
), kept as (
  insert into reaction_kinds (conversation_id, message_id, emoji, count)
  select conversation_id, message_id, emoji, count from kinds where count > 0
  on conflict (conversation_id, message_id, emoji) do update set count = excluded.count
), gone as (
  delete from reaction_kinds k
  using kinds
  where kinds.count <= 0 and k.conversation_id = kinds.conversation_id and k.message_id = kinds.message_id
        and k.emoji = kinds.emoji
), deleted as (
  delete from reactions r
  using unnest($20::uuid[], $21::uuid[]) as x(conversation_id, message_id)
  where r.conversation_id = x.conversation_id and r.message_id = x.message_id
), deleted_kinds as (
  delete from reaction_kinds k
  using unnest($20::uuid[], $21::uuid[]) as x(conversation_id, message_id)
  where k.conversation_id = x.conversation_id and k.message_id = x.message_id
), replaced as (
  insert into revisions (conversation_id, message_id, change_seq, body, edited_at)
  select *, $24 from unnest($31::uuid[], $32::uuid[], $33::bigint[], $34::text[])
), unmentioned as (
  delete from mentions n
  using unnest($36::uuid[], $37::bigint[], $38::uuid[]) as x(conversation_id, seq, user_id)
  where n.conversation_id = x.conversation_id and n.seq = x.seq and n.user_id = x.user_id
), mentioned as (
  insert into mentions (conversation_id, seq, user_id, thread_id, thread_only)
  select x.conversation_id, x.seq, x.user_id, m.thread_id, m.thread_id is not null and not m.also_in_conversation
  from unnest($39::uuid[], $40::bigint[], $41::uuid[]) as x(conversation_id, seq, user_id)
  join messages m on m.conversation_id = x.conversation_id and m.seq = x.seq
  on conflict do nothing
), deleted_revisions as (
  delete from revisions r
  using unnest($20::uuid[], $21::uuid[]) as x(conversation_id, message_id)
  where r.conversation_id = x.conversation_id and r.message_id = x.message_id
), unused as (
  insert into unused_files (file_id) select unnest($42::uuid[]) on conflict do nothing
), counted as (
  update conversations c
  set change_seq = n.change_seq, pins_count = coalesce(n.pins_count, c.pins_count), updated_at = $24
  from unnest($22::uuid[], $23::bigint[], $30::int[]) as n(id, change_seq, pins_count)
  where c.id = n.id
)
insert into outbox (type, envelope) select * from unnest($25::text[], $26::text[])"""


Mention = tuple[str, int, str]
"""conversation, `seq` of the message, user or `EVERYBODY`"""


@dataclass(frozen=True, slots=True)
class Replaced:
    """A text that an edit replaced."""

    conversation_id: str
    message_id: str
    change_seq: int
    body: str


@dataclass(frozen=True, slots=True)
class MessageChanges:
    rows: list[MessageRow]
    """The messages after the changes."""
    unmentioned: list[Mention]
    mentioned: list[Mention]
    taken_back: list[Reaction]
    reacted: dict[Reaction, int]
    """New ones, with the change_seq by which they came."""
    deleted: list[MessageRow]
    """All reactions and earlier texts of these go; none of them is in the other lists."""
    replaced: list[Replaced]
    unused_files: list[str]
    """Of messages that are deleted."""
    counts: dict[str, int]
    """The new change_seq by conversation."""
    pins: dict[str, int]
    """How many are pinned now, by conversation, where that changed."""
    events: list[tuple[str, str]]


async def write_changes(conn: Connection, changes: MessageChanges, now: datetime) -> None:
    rows = changes.rows
    kinds = Counter(reaction[:3] for reaction in changes.reacted)
    kinds.subtract(reaction[:3] for reaction in changes.taken_back)
    await conn.execute(
        WRITE_CHANGES,
        [r.conversation_id for r in rows],
        [r.seq for r in rows],
        [r.change_seq for r in rows],
        [r.body for r in rows],
        ["{" + ",".join(r.mentions) + "}" for r in rows],
        [r.edited_at for r in rows],
        [r.deleted_at for r in rows],
        *_columns(changes.taken_back),
        *_columns(list(changes.reacted)),
        [conversation_id for conversation_id, _, _ in kinds],
        [message_id for _, message_id, _ in kinds],
        [emoji for _, _, emoji in kinds],
        list(kinds.values()),
        [r.conversation_id for r in changes.deleted],
        [r.id for r in changes.deleted],
        list(changes.counts),
        list(changes.counts.values()),
        now,
        [type_name for type_name, _ in changes.events],
        [envelope for _, envelope in changes.events],
        [FIRST_POSITION + change_seq for change_seq in changes.reacted.values()],
        [r.pinned_at for r in rows],
        [r.pinned_by for r in rows],
        [changes.pins.get(conversation_id) for conversation_id in changes.counts],
        [r.conversation_id for r in changes.replaced],
        [r.message_id for r in changes.replaced],
        [r.change_seq for r in changes.replaced],
        [r.body for r in changes.replaced],
        [r.mention_all for r in rows],
        *_columns_of_mentions(changes.unmentioned),
        *_columns_of_mentions(changes.mentioned),
        changes.unused_files,
        [r.streaming for r in rows],
        [r.interrupted for r in rows],
    )


def _columns(reactions: Sequence[Reaction]) -> list[list[str]]:
    return [[reaction[n] for reaction in reactions] for n in range(4)]


def _columns_of_mentions(mentions: Sequence[Mention]) -> list[list[Any]]:
    return [[each[n] for each in mentions] for n in range(3)]
