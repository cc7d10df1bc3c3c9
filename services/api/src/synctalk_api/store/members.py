"""The table `members`: who is in a conversation, and how far each has received and read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
from synctalk_contracts.events.receipts import ReceiptRead
from synctalk_contracts.fanout import MemberView
from synctalk_contracts.ids import format_time
from synctalk_contracts.models import Member, MemberChange, OwnState, Role, User
from synctalk_runtime.postgres import Connection

from synctalk_api.store import users

COLUMNS = f"""\
m.conversation_id, {users.PREFIXED_COLUMNS},
       m.role, m.joined_at, m.left_at, m.delivered_seq, m.read_seq, m.change_seq, m.muted_until"""
"""Of `members m` joined with `users u`; they make a `MemberRow`."""


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member with the user; gone when `left_at` is set."""

    conversation_id: str
    user: User
    role: Role
    joined_at: datetime
    left_at: datetime | None
    delivered_seq: int
    read_seq: int
    change_seq: int
    muted_until: datetime | None

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> "MemberRow":
        return cls(
            row["conversation_id"],
            users.from_row(row, "user_"),
            Role(row["role"]),
            row["joined_at"],
            row["left_at"],
            row["delivered_seq"],
            row["read_seq"],
            row["change_seq"],
            row["muted_until"],
        )

    def to_model(self) -> Member:
        return Member(
            user=self.user,
            role=self.role,
            joined_at=self.joined_at,
            delivered_seq=self.delivered_seq,
            read_seq=self.read_seq,
            muted_until=self.muted_until,
        )

    def to_change(self) -> MemberChange:
        return MemberChange(
            user=self.user,
            role=None if self.left_at else self.role,
            joined_at=self.joined_at,
            delivered_seq=self.delivered_seq,
            read_seq=self.read_seq,
            change_seq=self.change_seq,
            muted_until=self.muted_until,
        )


BEGINS_AFTER = "begins_after(c.history, me.joined_seq, c.id, me.joined_at)"
"""Of `members me` joined with `conversations c`: messages up to this number do not exist for the member."""

PINS_COUNT = f"""\
case when c.history = 'all' then c.pins_count
            else (select count(*) from messages p
                  where p.conversation_id = c.id and p.pinned_at is not null and p.seq > {BEGINS_AFTER}) end"""  # noqa: S608

_READ = f"greatest(me.read_seq, {BEGINS_AFTER})"

OWN_COLUMNS = f"""\
me.role, me.read_seq, me.marked_unread_at, me.pinned_at,
       case when c.reveal_seq <= me.hidden_seq then me.hidden_at end as hidden_at,
       c.last_seq - {_READ} - (select count(*) from messages gone
                                   where gone.conversation_id = c.id and gone.seq > {_READ}
                                         and (gone.deleted_at is not null or gone.system is not null
                                              or (gone.thread_id is not null and not gone.also_in_conversation))
                                  ) as unread_count,
       (select unread.seq from messages unread
        where unread.conversation_id = c.id and unread.seq > {_READ} and unread.deleted_at is null
              and unread.system is null and (unread.thread_id is null or unread.also_in_conversation)
        order by unread.seq
        limit 1) as first_unread_seq,
       (select count(distinct n.seq) from mentions n
        where n.conversation_id = c.id and n.seq > {_READ} and not n.thread_only
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


ROLE_OF = """\
-- name: members.role_of
select role from members where conversation_id = $1 and user_id = $2 and left_at is null"""


async def role_of(conn: Connection, conversation_id: str, user_id: str) -> Role | None:
    """Return the user's role; None: not a member."""
    role = await conn.fetchval(ROLE_OF, conversation_id, user_id)
    return None if role is None else Role(role)


BEGINS = f"""\
-- name: members.begins_after
select {BEGINS_AFTER}
from members me
join conversations c on c.id = me.conversation_id
where me.conversation_id = $1 and me.user_id = $2 and me.left_at is null"""  # noqa: S608


async def begins_after(conn: Connection, conversation_id: str, user_id: str) -> int | None:
    """Return up to which `seq` messages do not exist for the member; None: not a member."""
    seq: int | None = await conn.fetchval(BEGINS, conversation_id, user_id)
    return seq


NOT_SEEING = """\
-- name: members.not_seeing
select asked.conversation_id, asked.seq, array_agg(m.user_id) as user_ids
from unnest($1::uuid[], $2::bigint[]) as asked(conversation_id, seq)
join conversations c on c.id = asked.conversation_id and c.history = 'since_joined'
join members m on m.conversation_id = c.id and m.left_at is null
                  and begins_after(c.history, m.joined_seq, c.id, m.joined_at) >= asked.seq
group by asked.conversation_id, asked.seq"""


async def not_seeing(conn: Connection, places: Sequence[tuple[str, int]]) -> dict[tuple[str, int], list[str]]:
    """Return for messages, by (conversation, seq), the members for whom they do not exist; none are left out."""
    rows = await conn.fetch(NOT_SEEING, [c for c, _ in places], [s for _, s in places])
    return {(row["conversation_id"], row["seq"]): row["user_ids"] for row in rows}


WRITING = """\
-- name: members.writing
select c.members_count, c.archived_at, m.muted_until, m.blocks_peer, m.blocked_by_peer
from members m
join conversations c on c.id = m.conversation_id
where m.conversation_id = $1 and m.user_id = $2 and m.left_at is null"""


async def writing(conn: Connection, conversation_id: str, user_id: str) -> asyncpg.Record | None:
    """Return what decides whether the user may write there, with the number of members; None: not a member."""
    return await conn.fetchrow(WRITING, conversation_id, user_id)


ROLES_OF = """\
-- name: members.roles_of
select m.conversation_id, m.user_id, m.role
from unnest($1::uuid[], $2::uuid[]) as asked(conversation_id, user_id)
join members m on m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.left_at is null"""


async def roles_of(conn: Connection, places: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Role]:
    """Return the roles of these (conversation, user); who is no member is left out."""
    rows = await conn.fetch(ROLES_OF, [c for c, _ in places], [u for _, u in places])
    return {(row["conversation_id"], row["user_id"]): Role(row["role"]) for row in rows}


ADD = """\
-- name: members.add
insert into members (conversation_id, user_id, role, joined_at, change_seq, invited_by, joined_seq)
select $1, added.user_id, added.role, $4, added.change_seq, nullif($6::uuid, added.user_id),
       (select last_seq from conversations where id = $1)
from unnest($2::uuid[], $3::text[], $5::bigint[]) as added(user_id, role, change_seq)
on conflict (conversation_id, user_id)
do update set role = excluded.role, joined_at = excluded.joined_at, change_seq = excluded.change_seq, left_at = null,
              invited_by = excluded.invited_by, joined_seq = excluded.joined_seq"""


async def add(
    conn: Connection,
    conversation_id: str,
    roles: dict[str, Role],
    change_seqs: Sequence[int],
    now: datetime,
    invited_by: str | None,
) -> None:
    """Add members. One who comes back goes on where they had read to.

    `invited_by` is recorded for all but the inviter; None: nobody was invited into a group.
    """
    ordered = sorted(zip(roles.items(), change_seqs, strict=True))
    await conn.execute(
        ADD,
        conversation_id,
        [user_id for (user_id, _), _ in ordered],
        [role.value for (_, role), _ in ordered],
        now,
        [change_seq for _, change_seq in ordered],
        invited_by,
    )


TIMES_INVITED = """\
-- name: members.times_invited
select asked.user_id,
       (select count(*)
        from (select from members m
              where m.user_id = asked.user_id and m.left_at is null and m.invited_by is not null
              limit $2) counted) as groups
from unnest($1::uuid[]) as asked(user_id)"""


async def times_invited(conn: Connection, user_ids: Sequence[str], most: int) -> dict[str, int]:
    """Return by user into how many groups others have put them that they have not left; it stops at `most`."""
    return {row["user_id"]: row["groups"] for row in await conn.fetch(TIMES_INVITED, user_ids, most)}


BY_IDS = f"""\
-- name: members.by_ids
select {COLUMNS}
from members m
join users u on u.id = m.user_id
where m.conversation_id = $1 and m.user_id = any($2::uuid[])"""  # noqa: S608


async def by_ids(conn: Connection, conversation_id: str, user_ids: Sequence[str]) -> dict[str, MemberRow]:
    """Return those who are or were members, by user id."""
    rows = await conn.fetch(BY_IDS, conversation_id, user_ids)
    return {row["user_id"]: MemberRow.from_row(row) for row in rows}


PAGE = f"""\
-- name: members.page
select {COLUMNS}
from members m
join users u on u.id = m.user_id
where m.conversation_id = $1 and m.left_at is null and ($2::uuid is null or m.user_id > $2)
order by m.user_id
limit $3"""  # noqa: S608


async def page(conn: Connection, conversation_id: str, after: str | None, limit: int) -> list[MemberRow]:
    return [MemberRow.from_row(row) for row in await conn.fetch(PAGE, conversation_id, after, limit)]


POSITION = """\
-- name: members.position
select c.change_seq, m.delivered_seq, m.read_seq
from members m
join conversations c on c.id = m.conversation_id
where m.conversation_id = $1 and m.user_id = $2 and m.left_at is null"""


@dataclass(frozen=True, slots=True)
class Position:
    """How far a conversation has come, with a member's own watermarks: all of it only rises."""

    change_seq: int
    delivered_seq: int
    read_seq: int

    def reaches(self, other: "Position") -> bool:
        return (
            self.change_seq >= other.change_seq
            and self.delivered_seq >= other.delivered_seq
            and self.read_seq >= other.read_seq
        )


async def position(conn: Connection, conversation_id: str, user_id: str) -> Position | None:
    """Return how far the conversation has come; None: the user is no member."""
    row = await conn.fetchrow(POSITION, conversation_id, user_id)
    return None if row is None else Position(*row)


PRESENT = """\
-- name: members.present
select user_id from members where conversation_id = $1 and user_id = any($2::uuid[]) and left_at is null"""


async def present(conn: Connection, conversation_id: str, user_ids: Sequence[str]) -> set[str]:
    """Return those who are members now."""
    return {row["user_id"] for row in await conn.fetch(PRESENT, conversation_id, user_ids)}


OTHERS = """\
-- name: members.others
select user_id, role, joined_at from members where conversation_id = $1 and user_id <> $2 and left_at is null"""


async def others(conn: Connection, conversation_id: str, user_id: str) -> list[asyncpg.Record]:
    return await conn.fetch(OTHERS, conversation_id, user_id)


SET_ROLE = """\
-- name: members.set_role
update members set role = $3, change_seq = $4 where conversation_id = $1 and user_id = $2"""


async def set_role(conn: Connection, conversation_id: str, user_id: str, role: Role, change_seq: int) -> None:
    await conn.execute(SET_ROLE, conversation_id, user_id, role.value, change_seq)


SET_BLOCKS = """\
-- name: members.set_blocks
update members set blocks_peer = $3, blocked_by_peer = $4 where conversation_id = $1 and user_id = $2"""


async def set_blocks(
    conn: Connection, conversation_id: str, user_id: str, *, blocks_peer: bool, blocked_by_peer: bool
) -> None:
    """Write into a direct conversation what this member has done to the other one, and the other to them."""
    await conn.execute(SET_BLOCKS, conversation_id, user_id, blocks_peer, blocked_by_peer)


SET_MUTED = """\
-- name: members.set_muted
update members set muted_until = $3, change_seq = $4 where conversation_id = $1 and user_id = $2"""


async def set_muted(
    conn: Connection, conversation_id: str, user_id: str, until: datetime | None, change_seq: int
) -> None:
    await conn.execute(SET_MUTED, conversation_id, user_id, until, change_seq)


MARK_GONE = """\
-- name: members.mark_gone
with unfollowed as (
  update thread_follows set following = false where user_id = $2 and conversation_id = $1 and following
)
update members set left_at = $4, change_seq = $3 where conversation_id = $1 and user_id = $2"""


async def mark_gone(conn: Connection, conversation_id: str, user_id: str, change_seq: int, now: datetime) -> None:
    await conn.execute(MARK_GONE, conversation_id, user_id, change_seq, now)


END_ALL = """\
-- name: members.end_all
update members set left_at = $3, change_seq = $2 where conversation_id = $1 and left_at is null
returning user_id"""


async def end_all(conn: Connection, conversation_id: str, change_seq: int, now: datetime) -> list[str]:
    """Make all members former ones, and return them."""
    return [row["user_id"] for row in await conn.fetch(END_ALL, conversation_id, change_seq, now)]


NAMED = """\
-- name: members.named
select m.conversation_id, u.username, m.user_id
from unnest($1::uuid[], $2::text[]) as asked(conversation_id, username)
join users u on u.username = asked.username
join members m on m.conversation_id = asked.conversation_id and m.user_id = u.id and m.left_at is null"""


async def named(conn: Connection, wanted: Sequence[tuple[str, str]]) -> dict[str, dict[str, str]]:
    """Return by conversation the ids by username of those (conversation, username) who are members there."""
    found: dict[str, dict[str, str]] = {}
    for row in await conn.fetch(NAMED, [c for c, _ in wanted], [u for _, u in wanted]):
        found.setdefault(row["conversation_id"], {})[row["username"]] = row["user_id"]
    return found


SET_OWN_STATE = """\
-- name: members.set_own_state
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


RAISE_WATERMARKS = """\
-- name: members.raise_watermarks
with asked as (
  select w.conversation_id, w.user_id, least(greatest(w.delivered, w.read), c.last_seq) as delivered,
         least(w.read, c.last_seq) as read, w.read > 0 as reads
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) as w(conversation_id, user_id, delivered, read)
  join conversations c on c.id = w.conversation_id
), locked as (
  select m.conversation_id, m.user_id, greatest(m.delivered_seq, asked.delivered) as delivered,
         greatest(m.read_seq, asked.read) as read, asked.read > m.read_seq as read_rose,
         asked.delivered > m.delivered_seq or asked.read > m.read_seq as rose,
         asked.reads and m.marked_unread_at is not null as unmarked
  from asked
  join members m on m.conversation_id = asked.conversation_id and m.user_id = asked.user_id
  where m.left_at is null
        and (asked.delivered > m.delivered_seq or asked.read > m.read_seq
             or asked.reads and m.marked_unread_at is not null)
  order by m.conversation_id, m.user_id
  for no key update of m
), raised as (
  update members m
  set delivered_seq = locked.delivered, read_seq = locked.read,
      marked_unread_at = case when not locked.unmarked then m.marked_unread_at end
  from locked
  where m.conversation_id = locked.conversation_id and m.user_id = locked.user_id
), published as (
  insert into outbox (type, envelope)
  select $5, json_build_object('id', gen_random_uuid(), 'type', $5::text, 'time', $6::text, 'payload',
                               json_build_object('conversation_id', conversation_id, 'user_id', user_id,
                                                 'read_seq', read))
  from locked where read_rose
)
select m.conversation_id, m.user_id, locked.delivered, locked.read, coalesce(locked.rose, false) as rose,
       coalesce(locked.unmarked, false) as unmarked
from asked
join members m on m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.left_at is null
left join locked on locked.conversation_id = m.conversation_id and locked.user_id = m.user_id"""


@dataclass(frozen=True, slots=True)
class Watermarks:
    delivered: int
    read: int


async def raise_watermarks(
    conn: Connection, wanted: dict[tuple[str, str], Watermarks], now: datetime
) -> list[asyncpg.Record]:
    """Raise the watermarks that rise, with the events of what was read, in one statement.

    A read ends that the member marked the conversation unread. Returns one row for each (conversation, user) that is a
    member: what it has now, whether it rose, and whether such a mark ended.
    """
    return await conn.fetch(
        RAISE_WATERMARKS,
        [conversation_id for conversation_id, _ in wanted],
        [user_id for _, user_id in wanted],
        [w.delivered for w in wanted.values()],
        [w.read for w in wanted.values()],
        ReceiptRead.type_name(),
        format_time(now),
    )


RECEIPTS = """\
-- name: members.receipts
select user_id, delivered_seq >= $3 as delivered, read_seq >= $3 as read
from members
where conversation_id = $1 and user_id <> $2 and left_at is null and ($4::uuid is null or user_id > $4)
order by user_id
limit $5"""


async def receipts(
    conn: Connection, conversation_id: str, user_id: str, seq: int, after: str | None, limit: int
) -> list[asyncpg.Record]:
    return await conn.fetch(RECEIPTS, conversation_id, user_id, seq, after, limit)


CHANGED_SINCE = f"""\
-- name: members.changed_since
select {COLUMNS}
from unnest($1::uuid[], $2::bigint[], $3::int[]) as asked(conversation_id, change_seq, most)
cross join lateral (
  select x.*
  from members x
  where x.conversation_id = asked.conversation_id and x.change_seq > asked.change_seq
  order by x.change_seq, x.user_id
  limit asked.most
) m
join users u on u.id = m.user_id
order by m.conversation_id, m.change_seq, m.user_id"""  # noqa: S608


async def changed_since(conn: Connection, cursors: dict[str, int], most: dict[str, int]) -> dict[str, list[MemberRow]]:
    """Return by conversation those changed after its cursor, ascending `change_seq`, at most `most` of each."""
    asked = list(cursors)
    rows = await conn.fetch(CHANGED_SINCE, asked, [cursors[c] for c in asked], [most[c] for c in asked])
    found: dict[str, list[MemberRow]] = {conversation_id: [] for conversation_id in asked}
    for row in rows:
        found[row["conversation_id"]].append(MemberRow.from_row(row))
    return found


CONTACTS = """\
-- name: members.contacts
select other.user_id, bool_or(c.type = 'direct') as direct
from members me
join members other on other.conversation_id = me.conversation_id
join conversations c on c.id = me.conversation_id
where me.user_id = $1 and me.left_at is null and other.user_id = any($2::uuid[]) and other.left_at is null
group by other.user_id"""


async def contacts(conn: Connection, user_id: str, user_ids: Sequence[str]) -> dict[str, bool]:
    """Return those of `user_ids` who share a conversation with the user, and whether a direct one."""
    return {row["user_id"]: row["direct"] for row in await conn.fetch(CONTACTS, user_id, user_ids)}


UNRELATED = """\
-- name: members.unrelated
select asked.user_id
from unnest($2::uuid[]) as asked(user_id)
left join lateral (
  select true as shared
  from members other
  join members me on me.conversation_id = other.conversation_id and me.user_id = $1 and me.left_at is null
  where other.user_id = asked.user_id and other.left_at is null
  limit 1
) common on true
where common.shared is null"""


async def unrelated(conn: Connection, user_id: str, user_ids: Sequence[str]) -> set[str]:
    """Return those of `user_ids` who share no conversation with the user: many at once, each looked up by itself."""
    return {row["user_id"] for row in await conn.fetch(UNRELATED, user_id, user_ids)}


VIEWS = f"""\
-- name: members.views
select me.user_id as member_id, c.history <> 'all' as begins, {PINS_COUNT} as pins_count,
       {BEGINS_AFTER} >= c.last_seq and c.last_seq > 0 as ends_before,
       {OWN_COLUMNS},
       {users.PREFIXED_COLUMNS}
from members me
join conversations c on c.id = me.conversation_id
left join members other on c.type = 'direct' and other.conversation_id = c.id and other.user_id <> me.user_id
left join users u on u.id = other.user_id
where me.conversation_id = $1 and me.left_at is null and ($2::uuid is null or me.user_id = $2)
order by {BEGINS_AFTER}"""  # noqa: S608


async def views(conn: Connection, conversation_id: str, user_id: str | None = None) -> dict[str, dict[str, Any]]:
    """Return by member what differs from one to the other in a view of the conversation: a `MemberView` as JSON.

    Of all members, those first who see most of it, or of one.
    """
    rows = await conn.fetch(VIEWS, conversation_id, user_id)
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


PUSHES = """\
-- name: members.pushes
select asked.n, m.user_id is not null as member,
       coalesce(f.read_seq >= asked.seq
                or ((x.thread_id is null or x.also_in_conversation) and m.read_seq >= asked.seq), false) as read,
       coalesce(x.deleted_at is not null, false) as deleted,
       x.sender_id, coalesce(sender.display_name, '') as sender_name, c.title
from unnest($1::int[], $2::uuid[], $3::uuid[], $4::bigint[]) as asked(n, user_id, conversation_id, seq)
left join members m on m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.left_at is null
left join conversations c on c.id = asked.conversation_id
left join messages x on x.conversation_id = asked.conversation_id and x.seq = asked.seq
left join thread_follows f on f.conversation_id = asked.conversation_id and f.thread_id = x.thread_id
                              and f.user_id = asked.user_id
left join users sender on sender.id = x.sender_id
order by asked.n"""


async def pushes(
    conn: Connection, user_ids: list[str], conversation_ids: list[str], seqs: list[int]
) -> list[asyncpg.Record]:
    """Return for each (user, conversation, seq), in their sequence, whether a push is due and what it says."""
    return await conn.fetch(PUSHES, list(range(len(seqs))), user_ids, conversation_ids, seqs)


BADGES = f"""\
-- name: members.badges
select me.user_id,
       sum(c.last_seq - {_READ} - (select count(*) from messages gone
                                       where gone.conversation_id = c.id and gone.seq > {_READ}
                                             and (gone.deleted_at is not null or gone.system is not null
                                                  or (gone.thread_id is not null and not gone.also_in_conversation))
                                     ))::bigint as badge
from members me
join conversations c on c.id = me.conversation_id
where me.user_id = any($1::uuid[]) and me.left_at is null and c.last_seq > {_READ}
      and ((me.user_id, me.conversation_id) in (select * from unnest($2::uuid[], $3::uuid[])))
          = (me.user_id = any($4::uuid[]))
group by me.user_id"""  # noqa: S608


async def badges(
    conn: Connection, user_ids: Sequence[str], named: Sequence[tuple[str, str]], only_named: Sequence[str]
) -> dict[str, int]:
    """Count unread messages by user, without the (user, conversation) pairs of `named`; zeros are left out.

    Of the users in `only_named` it counts those pairs alone.
    """
    user_column, conversation_column = [user for user, _ in named], [conversation for _, conversation in named]
    rows = await conn.fetch(BADGES, user_ids, user_column, conversation_column, only_named)
    return {row["user_id"]: row["badge"] for row in rows}


PAGE_OF_ALL = """\
-- name: members.page_of_all
select m.conversation_id, m.user_id, m.left_at is null as present, m.change_seq, c.type = 'direct' as direct
from members m
join conversations c on c.id = m.conversation_id
where (m.conversation_id, m.user_id) > ($1::uuid, $2::uuid)
order by m.conversation_id, m.user_id
limit $3"""


async def page_of_all(conn: Connection, conversation_id: str, user_id: str, limit: int) -> list[asyncpg.Record]:
    """Return the members after this one, of all conversations; former members too."""
    return await conn.fetch(PAGE_OF_ALL, conversation_id, user_id, limit)
