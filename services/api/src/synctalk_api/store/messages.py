"""The tables `messages` and `reactions`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson
from synctalk_contracts.commands import SendMessage
from synctalk_contracts.events.messages import MessageCreated
from synctalk_contracts.ids import format_time
from synctalk_contracts.models import Message
from synctalk_runtime.ids import new_id
from synctalk_runtime.postgres import Connection

from synctalk_api.store import outbox


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message as it is now, with its reactions."""

    conversation_id: str
    seq: int
    id: str
    change_seq: int
    sender_id: str
    client_message_id: str
    body: str
    reply_to: str | None
    mentions: list[str]
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    reactions: dict[str, list[str]]

    @classmethod
    def from_row(cls, row: asyncpg.Record, prefix: str = "") -> "MessageRow":
        values: dict[str, Any] = {name: row[prefix + name] for name in cls.__slots__}
        values["reactions"] = values["reactions"] or {}
        return cls(**values)

    def to_wire(self) -> dict[str, Any]:
        """The `Message` of the interface, JSON-ready; a test holds it against the contract."""
        return {
            "id": self.id,
            "conversation_id": self.conversation_id,
            "seq": self.seq,
            "change_seq": self.change_seq,
            "sender_id": self.sender_id,
            "client_message_id": self.client_message_id,
            "body": self.body,
            "reply_to": self.reply_to,
            "reactions": self.reactions,
            "mentions": self.mentions,
            "created_at": format_time(self.created_at),
            "edited_at": None if self.edited_at is None else format_time(self.edited_at),
            "deleted_at": None if self.deleted_at is None else format_time(self.deleted_at),
        }

    def to_json(self) -> bytes:
        return orjson.dumps(self.to_wire())

    def to_model(self) -> Message:
        return Message(
            id=self.id,
            conversation_id=self.conversation_id,
            seq=self.seq,
            change_seq=self.change_seq,
            sender_id=self.sender_id,
            client_message_id=self.client_message_id,
            body=self.body,
            reply_to=self.reply_to,
            reactions=self.reactions,
            mentions=self.mentions,
            created_at=self.created_at,
            edited_at=self.edited_at,
            deleted_at=self.deleted_at,
        )


SEND = """\
-- name: messages.send
with asked as (
  select *
  from unnest($1::int[], $2::uuid[], $3::uuid[], $4::text[], $5::bytea[], $6::uuid[], $7::uuid[], $8::text[],
              $9::text[], $10::text[], $11::text[])
       as a(n, conversation_id, user_id, client_message_id, digest, reply_to, id, body, mentions, head, tail)
), locked as (
  select a.n, c.last_seq, c.change_seq
  from asked a
  join conversations c on c.id = a.conversation_id
  join members m on m.conversation_id = a.conversation_id and m.user_id = a.user_id and m.left_at is null
  order by a.conversation_id, a.user_id, a.n
  for no key update of c, m
), judged as (
  select a.n, a.conversation_id, locked.last_seq, locked.change_seq, e.seq as repeated_seq,
         e.digest = a.digest as repeated_alike, a.reply_to is null or r.seq is not null as reply_found
  from asked a
  join locked on locked.n = a.n
  left join messages e on e.conversation_id = a.conversation_id and e.sender_id = a.user_id
                          and e.client_message_id = a.client_message_id
  left join messages r on r.conversation_id = a.conversation_id and r.id = a.reply_to
), numbered as (
  select n, last_seq + k as seq, change_seq + k as change_seq
  from (select n, last_seq, change_seq, row_number() over (partition by conversation_id order by n) as k
        from judged where repeated_seq is null and reply_found) as fresh
), written as (
  insert into messages (conversation_id, seq, id, change_seq, sender_id, client_message_id, digest, body, reply_to,
                        mentions, created_at)
  select a.conversation_id, x.seq, a.id, x.change_seq, a.user_id, a.client_message_id, a.digest, a.body, a.reply_to,
         a.mentions::uuid[], $12
  from numbered x join asked a on a.n = x.n
), counted as (
  update conversations c
  set last_seq = n.last_seq, change_seq = n.change_seq, active_at = $12, updated_at = $12
  from (select a.conversation_id as id, max(x.seq) as last_seq, max(x.change_seq) as change_seq
        from numbered x join asked a on a.n = x.n group by a.conversation_id) as n
  where c.id = n.id
), sent as (
  select a.conversation_id, a.user_id, max(x.seq) as seq
  from numbered x join asked a on a.n = x.n
  group by a.conversation_id, a.user_id
), raised as (
  update members m
  set delivered_seq = greatest(m.delivered_seq, sent.seq), read_seq = greatest(m.read_seq, sent.seq)
  from sent
  where m.conversation_id = sent.conversation_id and m.user_id = sent.user_id
), told as (
  insert into outbox (type, envelope)
  select $13, a.head || x.seq || ',"change_seq":' || x.change_seq || a.tail || '}}'
  from numbered x join asked a on a.n = x.n
  order by x.n
)
select j.n, x.seq, x.change_seq, j.repeated_seq, j.repeated_alike, j.reply_found
from judged j
left join numbered x on x.n = j.n"""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that has no numbers yet, and its JSON around the place where they go."""

    conversation_id: str
    sender_id: str
    client_message_id: str
    digest: bytes
    body: str
    reply_to: str | None
    mentions: list[str]
    id: str
    envelope: str
    """The event's JSON up to the message."""
    head: str
    tail: str

    @classmethod
    def of(
        cls, command: SendMessage, digest: bytes, mentions: list[str], time: str, traceparent: str | None
    ) -> "Draft":
        message_id = new_id()
        rest: dict[str, Any] = {
            "sender_id": command.user_id,
            "client_message_id": command.client_message_id,
            "body": command.body,
            "reply_to": command.reply_to,
            "reactions": {},
            "mentions": mentions,
            "created_at": time,
            "edited_at": None,
            "deleted_at": None,
        }
        return cls(
            conversation_id=command.conversation_id,
            sender_id=command.user_id,
            client_message_id=command.client_message_id,
            digest=digest,
            body=command.body,
            reply_to=command.reply_to,
            mentions=mentions,
            id=message_id,
            envelope=outbox.opening(MessageCreated, time, traceparent) + '{"message":',
            head=f'{{"id":"{message_id}","conversation_id":"{command.conversation_id}","seq":',
            tail="," + orjson.dumps(rest)[1:].decode(),
        )

    def to_json(self, seq: int, change_seq: int) -> bytes:
        """The `Message` of the interface; a test holds it against the contract."""
        return f'{self.head}{seq},"change_seq":{change_seq}{self.tail}'.encode()


async def send(conn: Connection, drafts: Sequence[Draft], now: datetime) -> list[asyncpg.Record]:
    """Lock, judge, number and write a batch, with counters, watermarks and events, in one statement and round trip.

    The conversations and the senders' memberships are locked in one order for all writers. One row for each draft whose
    sender is a member: its numbers; or where it was written before, and whether it said the same; or that `reply_to`
    is not there. What was locked is fresh; what is repeated is seen as of the statement's start: if another writer
    was quicker meanwhile, a unique constraint refuses the statement as a whole, and it can be tried again.
    """
    return await conn.fetch(
        SEND,
        list(range(len(drafts))),
        [d.conversation_id for d in drafts],
        [d.sender_id for d in drafts],
        [d.client_message_id for d in drafts],
        [d.digest for d in drafts],
        [d.reply_to for d in drafts],
        [d.id for d in drafts],
        [d.body for d in drafts],
        ["{" + ",".join(d.mentions) + "}" for d in drafts],
        [d.envelope + d.head for d in drafts],
        [d.tail for d in drafts],
        now,
        MessageCreated.type_name(),
    )


LOCK_FOR_CHANGE = """\
-- name: messages.lock_for_change
select asked.n, c.change_seq, m.role
from unnest($1::int[], $2::uuid[], $3::uuid[]) as asked(n, conversation_id, user_id)
join conversations c on c.id = asked.conversation_id
join members m on m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.left_at is null
order by asked.conversation_id, asked.user_id, asked.n
for no key update of c, m"""


async def lock_for_change(
    conn: Connection, conversation_ids: list[str], user_ids: list[str]
) -> dict[int, asyncpg.Record]:
    """Lock as for sending; by position, what changing needs. The messages are read after, so that none is stale."""
    numbers = list(range(len(conversation_ids)))
    rows = await conn.fetch(LOCK_FOR_CHANGE, numbers, conversation_ids, user_ids)
    return {row["n"]: row for row in rows}


BY_IDS = """\
-- name: messages.by_ids
select m.conversation_id, m.seq, m.id, m.change_seq, m.sender_id, m.client_message_id, m.body, m.reply_to, m.mentions,
       m.created_at, m.edited_at, m.deleted_at, m.reactions
from unnest($1::uuid[], $2::uuid[]) as asked(conversation_id, id)
join shown_messages m on m.conversation_id = asked.conversation_id and m.id = asked.id"""


async def by_ids(conn: Connection, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], MessageRow]:
    """The messages named by (conversation, id); those that are not there are left out."""
    rows = await conn.fetch(BY_IDS, [c for c, _ in wanted], [m for _, m in wanted])
    return {(row["conversation_id"], row["id"]): MessageRow.from_row(row) for row in rows}


BY_SEQS = """\
-- name: messages.by_seqs
select m.conversation_id, m.seq, m.id, m.change_seq, m.sender_id, m.client_message_id, m.body, m.reply_to, m.mentions,
       m.created_at, m.edited_at, m.deleted_at, m.reactions
from unnest($1::uuid[], $2::bigint[]) as asked(conversation_id, seq)
join shown_messages m on m.conversation_id = asked.conversation_id and m.seq = asked.seq"""


async def by_seqs(conn: Connection, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], MessageRow]:
    rows = await conn.fetch(BY_SEQS, [c for c, _ in wanted], [s for _, s in wanted])
    return {(row["conversation_id"], row["seq"]): MessageRow.from_row(row) for row in rows}


WRITE_CHANGES = """\
-- name: messages.write_changes
with changed as (
  update messages m
  set change_seq = x.change_seq, body = x.body, mentions = x.mentions::uuid[], edited_at = x.edited_at,
      deleted_at = x.deleted_at
  from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[])
       as x(conversation_id, seq, change_seq, body, mentions, edited_at, deleted_at)
  where m.conversation_id = x.conversation_id and m.seq = x.seq
), taken_back as (
  delete from reactions r
  using unnest($8::uuid[], $9::uuid[], $10::text[], $11::uuid[]) as x(conversation_id, message_id, emoji, user_id)
  where r.conversation_id = x.conversation_id and r.message_id = x.message_id and r.emoji = x.emoji
        and r.user_id = x.user_id
), reacted as (
  insert into reactions (conversation_id, message_id, emoji, user_id)
  select * from unnest($12::uuid[], $13::uuid[], $14::text[], $15::uuid[])
), counted as (
  update conversations c
  set change_seq = n.change_seq, updated_at = $18
  from unnest($16::uuid[], $17::bigint[]) as n(id, change_seq)
  where c.id = n.id
)
insert into outbox (type, envelope) select * from unnest($19::text[], $20::text[])"""

Reaction = tuple[str, str, str, str]
"""conversation, message, emoji, person"""


@dataclass(frozen=True, slots=True)
class MessageChanges:
    rows: list[MessageRow]
    """As they are after."""
    taken_back: list[Reaction]
    reacted: list[Reaction]
    counts: dict[str, int]
    """The new change_seq by conversation."""
    events: list[tuple[str, str]]


async def write_changes(conn: Connection, changes: MessageChanges, now: datetime) -> None:
    rows = changes.rows
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
        *_columns(changes.reacted),
        list(changes.counts),
        list(changes.counts.values()),
        now,
        [type_name for type_name, _ in changes.events],
        [envelope for _, envelope in changes.events],
    )


def _columns(reactions: list[Reaction]) -> list[list[str]]:
    return [[reaction[n] for reaction in reactions] for n in range(4)]


BEFORE = """\
-- name: messages.before
select m.conversation_id, m.seq, m.id, m.change_seq, m.sender_id, m.client_message_id, m.body, m.reply_to, m.mentions,
       m.created_at, m.edited_at, m.deleted_at, m.reactions
from shown_messages m
where m.conversation_id = $1 and m.seq < $2
order by m.seq desc
limit $3"""


async def before(conn: Connection, conversation_id: str, seq: int, limit: int) -> list[MessageRow]:
    """The newest below `seq`, ascending."""
    rows = await conn.fetch(BEFORE, conversation_id, seq, limit)
    return [MessageRow.from_row(row) for row in reversed(rows)]


AFTER = """\
-- name: messages.after
select m.conversation_id, m.seq, m.id, m.change_seq, m.sender_id, m.client_message_id, m.body, m.reply_to, m.mentions,
       m.created_at, m.edited_at, m.deleted_at, m.reactions
from shown_messages m
where m.conversation_id = $1 and m.seq > $2
order by m.seq
limit $3"""


async def after(conn: Connection, conversation_id: str, seq: int, limit: int) -> list[MessageRow]:
    """The oldest above `seq`, ascending."""
    return [MessageRow.from_row(row) for row in await conn.fetch(AFTER, conversation_id, seq, limit)]


CHANGED_SINCE = """\
-- name: messages.changed_since
select m.conversation_id, m.seq, m.id, m.change_seq, m.sender_id, m.client_message_id, m.body, m.reply_to, m.mentions,
       m.created_at, m.edited_at, m.deleted_at, m.reactions
from unnest($1::uuid[], $2::bigint[], $3::int[]) as asked(conversation_id, change_seq, most)
cross join lateral (
  select x.conversation_id, x.seq, x.id, x.change_seq, x.sender_id, x.client_message_id, x.body, x.reply_to, x.mentions,
         x.created_at, x.edited_at, x.deleted_at, x.reactions
  from shown_messages x
  where x.conversation_id = asked.conversation_id and x.change_seq > asked.change_seq
  order by x.change_seq
  limit asked.most
) m
order by m.conversation_id, m.change_seq"""


async def changed_since(conn: Connection, cursors: dict[str, int], most: dict[str, int]) -> dict[str, list[MessageRow]]:
    """By conversation, those changed after its cursor, ascending `change_seq`, at most `most` of each."""
    asked = list(cursors)
    rows = await conn.fetch(CHANGED_SINCE, asked, [cursors[c] for c in asked], [most[c] for c in asked])
    found: dict[str, list[MessageRow]] = {conversation_id: [] for conversation_id in asked}
    for row in rows:
        found[row["conversation_id"]].append(MessageRow.from_row(row))
    return found


SEARCH = """\
-- name: messages.search
with asked as (
  select websearch_to_tsquery('simple', $2) as words
), found as (
  select hit.conversation_id, hit.seq
  from members me
  cross join asked
  cross join lateral (
    select m.conversation_id, m.seq, m.id, m.created_at
    from messages m
    where to_tsvector('simple', m.body) || array_to_tsvector(array['conversation:' || m.conversation_id])
            @@ (asked.words && quote_literal('conversation:' || me.conversation_id)::tsquery)
          and m.deleted_at is null and ($4::timestamptz is null or (m.created_at, m.id) < ($4, $5::uuid))
    order by m.created_at desc, m.id desc
    limit $6
  ) hit
  where me.user_id = $1 and me.left_at is null and ($3::uuid is null or me.conversation_id = $3)
        and hit.conversation_id = me.conversation_id and numnode(asked.words) > 0
  order by hit.created_at desc, hit.id desc
  limit $6
)
select m.conversation_id, m.seq, m.id, m.change_seq, m.sender_id, m.client_message_id, m.body, m.reply_to, m.mentions,
       m.created_at, m.edited_at, m.deleted_at, m.reactions,
       ts_headline('simple', translate(m.body, E'\\x02\\x03', ''), asked.words,
                   E'StartSel=\\x02, StopSel=\\x03, MaxWords=40, MinWords=15') as headline
from found
join shown_messages m on m.conversation_id = found.conversation_id and m.seq = found.seq
cross join asked
order by m.created_at desc, m.id desc"""


async def search(
    conn: Connection,
    user_id: str,
    query: str,
    conversation_id: str | None,
    position: tuple[datetime, str] | None,
    limit: int,
) -> list[tuple[MessageRow, str]]:
    """Newest first, in the person's own conversations, each with its headline (the words between \\x02 and \\x03)."""
    at, message_id = position or (None, None)
    rows = await conn.fetch(SEARCH, user_id, query, conversation_id, at, message_id, limit)
    return [(MessageRow.from_row(row), row["headline"]) for row in rows]
