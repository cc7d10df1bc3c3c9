"""The conversations of a user: which they are, in which sequence, and how far each has come."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
from synctalk_runtime.postgres import Connection

PAGE = """\
-- name: conversation_lists.page
select c.id, activity.at
from members me
join conversations c on c.id = me.conversation_id
cross join lateral (
  select case
    when c.active_at <= $2::timestamptz then c.active_at
    else coalesce(
      (select m.created_at
       from messages m
       where m.conversation_id = c.id and m.created_at <= $2
       order by m.seq desc
       limit 1),
      c.created_at)
  end as at
) activity
where me.user_id = $1 and me.left_at is null and activity.at <= $2
      and coalesce(c.reveal_seq <= me.hidden_seq, false) = $7
      and not (c.id = any($3::uuid[]))
      and ($4::timestamptz is null or (activity.at, c.id) < ($4, $5::uuid))
order by activity.at desc, c.id desc
limit $6"""


RECENT_S = 60
"""Longer than a message takes from its time to its commit, and than the clocks of two processes are apart."""


RECENT_LISTED_MAX = 64
"""A cursor has room for so many ids."""


BEYOND_ALL = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ListPosition:
    """How far a user's list, of conversations or threads, has been walked: each is shown once, wherever new messages
    move it meanwhile.

    Old activity is where it was, so a time says what has been shown of it. Recent activity may be committed later than
    it began, so what has been shown of that is named.
    """

    at: datetime
    last_id: str
    recent_from: datetime
    recent: list[str]
    """The ids that have been shown with activity since `recent_from`."""

    @classmethod
    def after(
        cls, shown: Sequence[tuple[str, datetime]], before: "ListPosition | None", started_at: datetime
    ) -> "ListPosition":
        """Return the position after these, which follow the position `before` or, with None, begin the list."""
        recent_from = before.recent_from if before else started_at - timedelta(seconds=RECENT_S)
        recent = list(before.recent) if before else []
        for each, at in shown:
            if at >= recent_from and len(recent) < RECENT_LISTED_MAX:
                recent.append(each)
            else:
                recent_from = max(recent_from, at + timedelta(milliseconds=1))
        last_id, at = shown[-1]
        return cls(at, last_id, recent_from, recent)


Bounds = tuple[datetime, list[str], datetime | None, str | None]


def bounds(position: ListPosition | None) -> Bounds:
    """Return what a statement asks for: activity up to when, without which ids, and below which activity and id."""
    if position is None:
        return BEYOND_ALL, [], None, None
    if position.at >= position.recent_from:
        return position.at, position.recent, None, None
    return position.recent_from, position.recent, position.at, position.last_id


async def page(
    conn: Connection, user_id: str, position: ListPosition | None, limit: int, *, hidden: bool
) -> list[tuple[str, datetime]]:
    """Return (id, activity) of those that are hidden or not, newest activity first, after `position`.

    Later activity than the position, or than the recent one that it names, does not count.
    """
    rows = await conn.fetch(PAGE, user_id, *bounds(position), limit, hidden)
    return [(row["id"], row["at"]) for row in rows]


STATES = """\
-- name: conversation_lists.states
select c.id, c.last_seq, c.change_seq, c.active_at
from members me
join conversations c on c.id = me.conversation_id
where me.user_id = $1 and me.left_at is null
order by c.active_at desc, c.id desc
limit $2"""


async def states(conn: Connection, user_id: str, limit: int) -> list[asyncpg.Record]:
    """Return the latest numbers of a user's conversations, newest activity first."""
    return await conn.fetch(STATES, user_id, limit)


IDS = """\
-- name: conversation_lists.ids
select conversation_id as id
from members
where user_id = $1 and left_at is null and conversation_id < $2
order by conversation_id desc
limit $3"""


AFTER_ALL = "ffffffff-ffff-ffff-ffff-ffffffffffff"


async def ids(conn: Connection, user_id: str, before: str, limit: int) -> list[str]:
    """Return the ids of a user's conversations below `before`, the highest first."""
    return [row["id"] for row in await conn.fetch(IDS, user_id, before, limit)]


STATES_OF = """\
-- name: conversation_lists.states_of
select c.id, c.last_seq, c.change_seq, c.updated_at >= $3 as changed
from members me
join conversations c on c.id = me.conversation_id
where me.user_id = $1 and me.conversation_id = any($2::uuid[]) and me.left_at is null"""


async def states_of(conn: Connection, user_id: str, wanted: Sequence[str], since: datetime) -> list[asyncpg.Record]:
    """Return the latest numbers of those that the user is in, and whether they have changed since that time."""
    return await conn.fetch(STATES_OF, user_id, wanted, since)


CHANGE_SEQS = """\
-- name: conversation_lists.change_seqs
select c.id, c.change_seq,
       case when c.history = 'since_joined' then greatest(c.reset_seq, me.change_seq) else c.reset_seq end as reset_seq
from members me
join conversations c on c.id = me.conversation_id
where me.user_id = $1 and me.conversation_id = any($2::uuid[]) and me.left_at is null"""


async def change_seqs(conn: Connection, user_id: str, conversation_ids: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return of those that the user is a member of the latest `change_seq`, and below which one cursors are void.

    Where a group begins for members when they join, one from before may be of an earlier membership. When that was is
    not known; the last change of the member is at or after it.
    """
    rows = await conn.fetch(CHANGE_SEQS, user_id, conversation_ids)
    return {row["id"]: (row["change_seq"], row["reset_seq"]) for row in rows}
