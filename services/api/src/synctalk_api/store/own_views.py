"""The table `members`: what a conversation is to one member."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
from synctalk_contracts.fanout import MemberView
from synctalk_contracts.models import OwnState, Role
from synctalk_runtime.postgres import Connection

from synctalk_api.store import users

BEGINS_AFTER = "begins_after(c.history, me.joined_seq, c.id, me.joined_at)"
"""Of `members me` joined with `conversations c`: messages up to this number do not exist for the member."""


PINS_COUNT = f"""\
case when c.history = 'all' then c.pins_count
            else (select count(*) from messages p
                  where p.conversation_id = c.id and p.pinned_at is not null and p.seq > {BEGINS_AFTER}) end"""  # noqa: S608


READ = f"greatest(me.read_seq, {BEGINS_AFTER})"


OWN_COLUMNS = f"""\
me.role, me.read_seq, me.marked_unread_at, me.pinned_at,
       case when c.reveal_seq <= me.hidden_seq then me.hidden_at end as hidden_at,
       c.last_seq - {READ} - (select count(*) from messages gone
                                   where gone.conversation_id = c.id and gone.seq > {READ}
                                         and (gone.deleted_at is not null or gone.system is not null
                                              or (gone.thread_id is not null and not gone.also_in_conversation))
                                  ) as unread_count,
       (select unread.seq from messages unread
        where unread.conversation_id = c.id and unread.seq > {READ} and unread.deleted_at is null
              and unread.system is null and (unread.thread_id is null or unread.also_in_conversation)
        order by unread.seq
        limit 1) as first_unread_seq,
       (select count(distinct n.seq) from mentions n
        where n.conversation_id = c.id and n.seq > {READ} and not n.thread_only
              and n.user_id in (me.user_id, '00000000-0000-0000-0000-000000000000')) as mention_count"""  # noqa: S608
"""Of `members me` joined with `conversations c`: what a conversation is to this member.

Unread needs no count of messages: sending raises the sender's own watermark, so all above it are by others, without a
gap; only the deleted ones, those of the group itself and those that are only in threads are subtracted.
"""


def own_state(row: asyncpg.Record) -> OwnState:
    """Make it of a row with `OWN_COLUMNS`."""
    return OwnState(
        pinned_at=row["pinned_at"],
        hidden_at=row["hidden_at"],
        marked_unread_at=row["marked_unread_at"],
        first_unread_seq=row["first_unread_seq"],
        mention_count=row["mention_count"],
    )


SET_OWN_STATE = """\
-- name: own_views.set_own_state
update members m
set marked_unread_at = case when $3 then coalesce(m.marked_unread_at, $6) else m.marked_unread_at end,
    pinned_at = case when $4::bool is null then m.pinned_at when $4 then coalesce(m.pinned_at, $6) end,
    hidden_at = case when $5::bool is null or $5 and c.reveal_seq <= m.hidden_seq then m.hidden_at when $5 then $6 end,
    hidden_seq = case when $5::bool is null or $5 and c.reveal_seq <= m.hidden_seq then m.hidden_seq
                      when $5 then c.last_seq end
from conversations c
where m.conversation_id = $1 and m.user_id = $2 and m.left_at is null and c.id = m.conversation_id"""


async def set_own_state(
    conn: Connection,
    conversation_id: str,
    user_id: str,
    now: datetime,
    *,
    unread: bool,
    pinned: bool | None,
    hidden: bool | None,
) -> None:
    """Change what the conversation is to this member; what it is already keeps its time. None: as it is."""
    await conn.execute(SET_OWN_STATE, conversation_id, user_id, unread, pinned, hidden, now)


_SELECT = f"""\
select me.user_id as member_id, c.history <> 'all' as begins, {PINS_COUNT} as pins_count,
       {BEGINS_AFTER} >= c.last_seq and c.last_seq > 0 as ends_before,
       {OWN_COLUMNS},
       peer.*
from members me
join conversations c on c.id = me.conversation_id
left join lateral (
  select {users.PREFIXED_COLUMNS}
  from members other
  join users u on u.id = other.user_id
  where c.type = 'direct' and other.conversation_id = c.id and other.user_id <> me.user_id
  limit 1
) peer on true
where me.conversation_id = $1 and me.left_at is null"""  # noqa: S608

VIEWS = f"""\
-- name: own_views.views
{_SELECT}
order by {BEGINS_AFTER}"""

VIEWS_OF = f"""\
-- name: own_views.views_of
{_SELECT} and me.user_id = any($2::uuid[])
order by {BEGINS_AFTER}"""


async def views(conn: Connection, conversation_id: str) -> dict[str, dict[str, Any]]:
    """Return by member what differs from one to the other in a view of the conversation: a `MemberView` as JSON.

    Of all members, those first who see most of it.
    """
    return _by_member(await conn.fetch(VIEWS, conversation_id))


async def views_of(conn: Connection, conversation_id: str, user_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the same of those of these users who are members."""
    return _by_member(await conn.fetch(VIEWS_OF, conversation_id, user_ids))


def _by_member(rows: Sequence[asyncpg.Record]) -> dict[str, dict[str, Any]]:
    return {row["member_id"]: _view(row).model_dump(mode="json", exclude_unset=True) for row in rows}


def _view(row: asyncpg.Record) -> MemberView:
    own: dict[str, Any] = {"pins_count": row["pins_count"]} if row["begins"] else {}
    if row["ends_before"]:
        own["last_message"] = None
    return MemberView(
        **own,
        read_seq=row["read_seq"],
        unread_count=row["unread_count"],
        role=Role(row["role"]),
        peer=None if row["user_id"] is None else users.from_row(row, "user_"),
        me=own_state(row),
    )
