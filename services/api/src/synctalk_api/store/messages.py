"""The table `messages` and the view `displayed_messages`: reading. New ones are written by `sending.py`.

Statements are text; only the list of columns is put in, once, at import.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

import asyncpg
import orjson
from synctalk_contracts.ids import format_time
from synctalk_contracts.models import Message
from synctalk_runtime.postgres import Connection

from synctalk_api import tags

EVERYBODY = "00000000-0000-0000-0000-000000000000"
"""In the place of a user's id in the table `mentions`."""


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message as it is now, with the first users of each of its reactions and how many there are.

    It has the fields of the contract's `Message`, named as the columns are.
    """

    conversation_id: str
    seq: int
    id: str
    change_seq: int
    sender_id: str
    client_message_id: str
    body: str
    reply_to: str | None
    mentions: list[str]
    mention_all: bool
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    pinned_at: datetime | None
    pinned_by: str | None
    metadata: dict[str, Any]
    forwarded_from: dict[str, str | None] | None
    system: dict[str, Any] | None
    reactions: dict[str, list[str]]
    reaction_counts: dict[str, int]
    files: list[dict[str, Any]] = field(default_factory=list)
    """Each a `File` as it was when the message was sent."""
    thread_id: str | None = None
    also_in_conversation: bool = False
    thread: dict[str, Any] | None = None
    """A `ThreadSummary` as JSON."""
    previews: list[dict[str, Any]] = field(default_factory=list)
    """Each a `LinkPreview`."""
    streaming: bool = False
    """`body` is what it began with: the text so far is in Redis."""
    interrupted: bool = False

    @classmethod
    def from_row(cls, row: asyncpg.Record, prefix: str = "") -> "MessageRow":
        """Make it of a row with `COLUMNS` and `reactions`, or with these under names with a prefix."""
        kinds = row[prefix + "reactions"] or {}
        return cls(
            **{column: row[prefix + column] for column in OWN_COLUMNS},
            reactions={emoji: user_ids for emoji, (_, user_ids) in kinds.items()},
            reaction_counts={emoji: count for emoji, (count, _) in kinds.items()},
        )

    @property
    def mentioned(self) -> set[str]:
        """Return the ids under which the mentions are kept: `EVERYBODY` stands for `@all`."""
        return {*self.mentions, EVERYBODY} if self.mention_all else set(self.mentions)

    @property
    def tags(self) -> list[str]:
        return tags.of_message(
            self.sender_id,
            self.body,
            self.mentions,
            mention_all=self.mention_all,
            pinned_at=self.pinned_at,
            reacted=bool(self.reaction_counts),
            has_files=bool(self.files),
            thread_id=self.thread_id,
            thread_only=not self.also_in_conversation,
        )

    def to_wire(self) -> dict[str, Any]:
        """Return the `Message` of the interface, ready for JSON; a test compares it with the contract."""
        wire = dict(zip(FIELDS, _values(self), strict=True))
        for time in TIMES:
            if wire[time] is not None:
                wire[time] = format_time(wire[time])
        return wire

    def to_json(self) -> bytes:
        return orjson.dumps(self.to_wire())

    def to_model(self) -> Message:
        return Message(**dict(zip(FIELDS, _values(self), strict=True)))


FIELDS = tuple(Message.model_fields)
TIMES = ("created_at", "edited_at", "deleted_at", "pinned_at")
_values: Callable[[MessageRow], tuple[Any, ...]] = attrgetter(*FIELDS)

OWN_COLUMNS = tuple(each.name for each in fields(MessageRow) if each.name not in ("reactions", "reaction_counts"))
COLUMNS = ", ".join(f"m.{column}" for column in OWN_COLUMNS)
"""Of `messages m`. With `reactions`, which `displayed_messages m` has as well, they make a `MessageRow`."""
PREFIXED_COLUMNS = ", ".join(f"m.{column} as message_{column}" for column in (*OWN_COLUMNS, "reactions"))
"""Of `displayed_messages m`, for a row that has columns of other tables too: `message_id`, `message_body` …"""


BY_IDS = f"""\
-- name: messages.by_ids
select {COLUMNS}, m.reactions
from unnest($1::uuid[], $2::uuid[]) as asked(conversation_id, id)
join displayed_messages m on m.conversation_id = asked.conversation_id and m.id = asked.id"""  # noqa: S608


async def by_ids(conn: Connection, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], MessageRow]:
    """Return the messages named by (conversation, id); those that do not exist are left out."""
    rows = await conn.fetch(BY_IDS, [c for c, _ in wanted], [m for _, m in wanted])
    return {(row["conversation_id"], row["id"]): MessageRow.from_row(row) for row in rows}


BY_SEQS = f"""\
-- name: messages.by_seqs
select {COLUMNS}, m.reactions
from unnest($1::uuid[], $2::bigint[]) as asked(conversation_id, seq)
join displayed_messages m on m.conversation_id = asked.conversation_id and m.seq = asked.seq"""  # noqa: S608


async def by_seqs(conn: Connection, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], MessageRow]:
    rows = await conn.fetch(BY_SEQS, [c for c, _ in wanted], [s for _, s in wanted])
    return {(row["conversation_id"], row["seq"]): MessageRow.from_row(row) for row in rows}


BEFORE = f"""\
-- name: messages.before
select {COLUMNS}, m.reactions
from displayed_messages m
where m.conversation_id = $1 and m.seq < $2 and m.seq > $4
order by m.seq desc
limit $3"""  # noqa: S608


async def before(conn: Connection, conversation_id: str, seq: int, limit: int, begins_after: int) -> list[MessageRow]:
    """Return the newest below `seq` and above `begins_after`, ascending."""
    rows = await conn.fetch(BEFORE, conversation_id, seq, limit, begins_after)
    return [MessageRow.from_row(row) for row in reversed(rows)]


AFTER = f"""\
-- name: messages.after
select {COLUMNS}, m.reactions
from displayed_messages m
where m.conversation_id = $1 and m.seq > $2
order by m.seq
limit $3"""  # noqa: S608


async def after(conn: Connection, conversation_id: str, seq: int, limit: int) -> list[MessageRow]:
    """Return the oldest above `seq`, ascending."""
    return [MessageRow.from_row(row) for row in await conn.fetch(AFTER, conversation_id, seq, limit)]


FIRST_AT = """\
-- name: messages.first_at
select seq_at($1, $2)"""


async def first_at(conn: Connection, conversation_id: str, time: datetime) -> int:
    """Return the `seq` of the first message at or after this time; beyond the last one when there is none."""
    seq: int = await conn.fetchval(FIRST_AT, conversation_id, time)
    return seq


BOUNDS = """\
-- name: messages.bounds
select c.last_seq,
       (select unread.seq from messages unread
        where unread.conversation_id = c.id and unread.seq > me.read_seq
              and unread.seq > begins_after(c.history, me.joined_seq, c.id, me.joined_at) and unread.deleted_at is null
              and unread.system is null and (unread.thread_id is null or unread.also_in_conversation)
        order by unread.seq
        limit 1) as first_unread_seq
from members me
join conversations c on c.id = me.conversation_id
where me.conversation_id = $1 and me.user_id = $2 and me.left_at is null"""


async def bounds(conn: Connection, conversation_id: str, user_id: str) -> tuple[int, int | None]:
    """Return the last `seq`, and the first that the member has not read (None: all are read)."""
    row = await conn.fetchrow(BOUNDS, conversation_id, user_id)
    return (0, None) if row is None else (row["last_seq"], row["first_unread_seq"])


CHANGED_SINCE = f"""\
-- name: messages.changed_since
select {COLUMNS}, m.reactions
from unnest($1::uuid[], $2::bigint[], $3::int[]) as asked(conversation_id, change_seq, most)
join members me on me.conversation_id = asked.conversation_id and me.user_id = $4
join conversations c on c.id = asked.conversation_id
cross join lateral (
  select x.*
  from displayed_messages x
  where x.conversation_id = asked.conversation_id and x.change_seq > asked.change_seq
        and x.seq > begins_after(c.history, me.joined_seq, c.id, me.joined_at)
  order by x.change_seq
  limit asked.most
) m
order by m.conversation_id, m.change_seq, m.seq"""  # noqa: S608


async def changed_since(
    conn: Connection, user_id: str, cursors: dict[str, int], most: dict[str, int]
) -> dict[str, list[MessageRow]]:
    """Return by conversation those changed after its cursor that exist for the user, at most `most` of each."""
    asked = list(cursors)
    rows = await conn.fetch(CHANGED_SINCE, asked, [cursors[c] for c in asked], [most[c] for c in asked], user_id)
    found: dict[str, list[MessageRow]] = {conversation_id: [] for conversation_id in asked}
    for row in rows:
        found[row["conversation_id"]].append(MessageRow.from_row(row))
    return found
