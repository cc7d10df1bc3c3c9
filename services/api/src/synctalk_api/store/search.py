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
    """Index these messages by their present text, and remove the deleted ones from the index."""
    if not rows:
        return
    await conn.execute(
        REINDEX,
        [row.conversation_id for row in rows],
        [row.seq for row in rows],
        [row.created_at for row in rows],
        [row.id for row in rows],
        [None if row.deleted_at is not None else vector(row.body) for row in rows],
    )


@dataclass(frozen=True, slots=True)
class Searched:
    """A conversation to search in, and how far it reaches."""

    conversation_id: str
    last_seq: int
    active_at: datetime


CONVERSATIONS = """\
-- name: search.conversations
select c.id, c.last_seq, c.active_at
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
select id, last_seq, active_at from conversations where id = $1"""


async def conversation(conn: Connection, conversation_id: str) -> list[Searched]:
    return [Searched(*row) for row in await conn.fetch(CONVERSATION, conversation_id)]


@dataclass(frozen=True, slots=True)
class Hit:
    conversation_id: str
    seq: int
    created_at: datetime
    id: str


# The conversation is compared as text, so that the planner can't choose its primary key, which would read all of it.
# Segments come newest first, and a search stops at the first ones that fill its page.
FOUND = """\
-- name: search.found
select asked.id as conversation_id, hit.seq, hit.created_at, hit.id
from unnest($1::uuid[], $2::bigint[]) as asked(id, last_seq)
cross join lateral (
  select t.seq, t.created_at, t.id
  from generate_series(asked.last_seq >> 10, 0, -1) as segment
  cross join lateral (
    select t.seq, t.created_at, t.id
    from message_terms t
    where t.terms @@ replace($3, E'\\x01', place_of(asked.id, segment))::tsquery
          and t.conversation_id::text = asked.id::text
          and ($4::timestamptz is null or (t.created_at, t.id) < ($4, $5::uuid))
    order by t.seq desc
    limit $6
  ) t
  limit $6
) hit
order by hit.created_at desc, hit.id desc
limit $6"""


async def found(
    conn: Connection,
    places: Sequence[Searched],
    tsquery: str,
    position: tuple[datetime, str] | None,
    limit: int,
) -> list[Hit]:
    """Return the newest hits in these conversations, newest first."""
    at, message_id = position or (None, None)
    ids, last_seqs = [place.conversation_id for place in places], [place.last_seq for place in places]
    rows = await conn.fetch(FOUND, ids, last_seqs, tsquery, at, message_id, limit)
    return [Hit(*row) for row in rows]
