"""Public groups, of which everybody may learn that they exist: `conversations` that are public.

A list is walked as of its start: a group whose number of members has changed since is where it was then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from synctalk_runtime.postgres import Connection

_LISTED = """\
select c.id, c.title, c.description, c.avatar_url, c.members_count, c.created_at, listed.rank,
       exists (select from members m
               where m.conversation_id = c.id and m.user_id = $1 and m.left_at is null) as joined
from (
  (select c.id, c.members_count as rank
   from conversations c
   where c.visibility = 'public' and c.archived_at is null and c.members_changed_at <= $2 {found}
         and (c.members_count, c.id) < ($3::int, $4::uuid)
   order by c.members_count desc, c.id desc
   limit $5)
  union all
  (select c.id, then_members.count as rank
   from conversations c
   cross join lateral (
     select (c.members_count - count(*) filter (where m.left_at is null and m.joined_at > $2)
             + count(*) filter (where m.left_at > $2 and m.joined_at <= $2))::int as count
     from members m
     where m.conversation_id = c.id
   ) then_members
   where c.visibility = 'public' and c.archived_at is null and c.members_changed_at > $2 {found}
         and (then_members.count, c.id) < ($3::int, $4::uuid)
   order by 2 desc, 1 desc
   limit $5)
) listed
join conversations c on c.id = listed.id
order by listed.rank desc, listed.id desc
limit $5"""
ALL = "-- name: channels.all\n" + _LISTED.format(found="")
FOUND = "-- name: channels.found\n" + _LISTED.format(found="and c.title_terms @@ $6::text::tsquery")

MOST_MEMBERS = 2**31 - 1
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


@dataclass(frozen=True, slots=True)
class Place:
    """How far the list has been walked, and since when."""

    started_at: datetime
    rank: int = MOST_MEMBERS
    conversation_id: str = LAST_ID


async def page(
    conn: Connection, user_id: str, place: Place, tsquery: str | None, limit: int
) -> Sequence[asyncpg.Record]:
    """Return public groups after this place, most members first; with a query those whose title it finds."""
    args = (user_id, place.started_at, place.rank, place.conversation_id, limit)
    return await (conn.fetch(ALL, *args) if tsquery is None else conn.fetch(FOUND, *args, tsquery))
