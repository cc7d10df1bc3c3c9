"""The table `message_terms`: the terms by which searching finds a message, apart from the message and narrow.

Each term is prefixed with its place: the conversation, and the segment of 1,024 numbers that has the message. One
look into the index then reads entries of one conversation only, also for the beginning of a word, and no more than a
segment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from synctalk_runtime.postgres import Connection

from synctalk_api.store.messages import MessageRow
from synctalk_api.terms import vector

REINDEX = """\
-- name: search.reindex
with forgotten as (
  delete from message_terms t
  using unnest($1::uuid[], $2::bigint[], $5::text[]) as x(conversation_id, seq, terms)
  where t.conversation_id = x.conversation_id and t.seq = x.seq and x.terms is null
)
insert into message_terms (conversation_id, seq, created_at, id, terms)
select x.conversation_id, x.seq, x.created_at, x.id, placed_terms(x.terms, x.conversation_id, x.seq)
from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::uuid[], $5::text[])
     as x(conversation_id, seq, created_at, id, terms)
where x.terms is not null
on conflict (conversation_id, seq) do update set terms = excluded.terms"""


async def reindex(conn: Connection, rows: Sequence[MessageRow]) -> None:
    """Index these messages by their present text, and remove the deleted ones from the index.

    Those that are being streamed are found once they are complete.
    """
    rows = [row for row in rows if not row.streaming]
    if not rows:
        return
    await conn.execute(
        REINDEX,
        [row.conversation_id for row in rows],
        [row.seq for row in rows],
        [row.created_at for row in rows],
        [row.id for row in rows],
        [None if row.deleted_at is not None else vector(row.body, row.tags) for row in rows],
    )


def differs(row: MessageRow, before: MessageRow) -> bool:
    """Return whether the message is found by other terms than before; deleting it changes its tags or its text."""
    return (
        row.body != before.body
        or row.tags != before.tags
        or row.deleted_at != before.deleted_at
        or row.streaming != before.streaming
    )


@dataclass(frozen=True, slots=True)
class Searched:
    """A conversation to search in, and how far it reaches."""

    conversation_id: str
    last_seq: int
    active_at: datetime
    change_seq: int
    begins_after: int
    """Messages up to this `seq` do not exist for the user."""


CONVERSATIONS = """\
-- name: search.conversations
select c.id, c.last_seq, c.active_at, c.change_seq, begins_after(c.history, m.joined_seq, c.id, m.joined_at)
from members m
join conversations c on c.id = m.conversation_id
where m.user_id = $1 and m.left_at is null and c.last_seq > 0
order by c.active_at desc
limit $2"""


async def conversations(conn: Connection, user_id: str, limit: int) -> list[Searched]:
    """Return the user's conversations that have messages, the most recently active first."""
    return [Searched(*row) for row in await conn.fetch(CONVERSATIONS, user_id, limit)]


CONVERSATION = """\
-- name: search.conversation
select c.id, c.last_seq, c.active_at, c.change_seq, begins_after(c.history, m.joined_seq, c.id, m.joined_at)
from members m
join conversations c on c.id = m.conversation_id
where m.user_id = $1 and m.conversation_id = $2 and m.left_at is null"""


async def conversation(conn: Connection, user_id: str, conversation_id: str) -> list[Searched]:
    """Return this conversation of the user; nothing: they are no member."""
    return [Searched(*row) for row in await conn.fetch(CONVERSATION, user_id, conversation_id)]


@dataclass(frozen=True, slots=True)
class Hit:
    conversation_id: str
    seq: int
    created_at: datetime
    id: str


# The conversation is compared as text, so that the planner can't choose its primary key, which would read all of it.
# Segments come newest first, and a search stops at the first ones that fill its page. The offset keeps the planner from
# asking for the bounds again with every row.
FOUND = """\
-- name: search.found
select asked.id as conversation_id, hit.seq, hit.created_at, hit.id
from unnest($1::uuid[], $2::bigint[], $9::bigint[]) as asked(id, last_seq, begins_after)
cross join lateral (
  select greatest(asked.begins_after + 1, case when $7::timestamptz is not null then seq_at(asked.id, $7) end) as first,
         case when $8::timestamptz is null then asked.last_seq else seq_at(asked.id, $8) - 1 end as last
  offset 0
) bounds
cross join lateral (
  select t.seq, t.created_at, t.id
  from generate_series(bounds.last >> 10, bounds.first >> 10, -1) as segment
  cross join lateral (
    select t.seq, t.created_at, t.id
    from message_terms t
    where t.terms @@ replace($3, E'\\x01', place_of(asked.id, segment))::tsquery
          and t.conversation_id::text = asked.id::text
          and t.seq between bounds.first and bounds.last
          and ($4::timestamptz is null or (t.created_at, t.id) < ($4, $5::uuid))
    order by t.seq desc
    limit $6
  ) t
  limit $6
) hit
order by hit.created_at desc, hit.id desc
limit $6"""

# For what says nothing of the messages' terms but what they must not have.
LISTED = """\
-- name: search.listed
select asked.id as conversation_id, hit.seq, hit.created_at, hit.id
from unnest($1::uuid[], $2::bigint[], $9::bigint[]) as asked(id, last_seq, begins_after)
cross join lateral (
  select greatest(asked.begins_after + 1, case when $7::timestamptz is not null then seq_at(asked.id, $7) end) as first,
         case when $8::timestamptz is null then asked.last_seq else seq_at(asked.id, $8) - 1 end as last
) bounds
cross join lateral (
  select t.seq, t.created_at, t.id
  from message_terms t
  where t.conversation_id = asked.id and t.seq between bounds.first and bounds.last
        and ($4::timestamptz is null or (t.created_at, t.id) < ($4, $5::uuid))
        and ($3 = '' or t.terms @@ replace($3, E'\\x01', place_of(asked.id, t.seq >> 10))::tsquery)
  order by t.seq desc
  limit $6
) hit
order by hit.created_at desc, hit.id desc
limit $6"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to find: by its terms, or, where it has none that must occur, by reading on."""

    tsquery: str
    by_terms: bool
    after: datetime | None = None
    before: datetime | None = None


async def found(
    conn: Connection,
    places: Sequence[Searched],
    wanted: Wanted,
    position: tuple[datetime, str] | None,
    limit: int,
) -> list[Hit]:
    """Return the newest hits in these conversations, newest first."""
    at, message_id = position or (None, None)
    ids, last_seqs = [place.conversation_id for place in places], [place.last_seq for place in places]
    statement = FOUND if wanted.by_terms else LISTED
    bounds = wanted.after, wanted.before
    begins = [place.begins_after for place in places]
    rows = await conn.fetch(statement, ids, last_seqs, wanted.tsquery, at, message_id, limit, *bounds, begins)
    return [Hit(*row) for row in rows]
