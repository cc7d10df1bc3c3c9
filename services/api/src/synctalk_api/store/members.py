"""The table `members`: who is in a conversation, and how far each has received and read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from synctalk_contracts.models import Member, MemberChange, Role, User
from synctalk_runtime.postgres import Connection

from synctalk_api.store import users
from synctalk_api.store.own_views import BEGINS_AFTER

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


# Two look-ups in the index `members_joined`: of those who joined before it was noted the time is known alone.
JOINED_AFTER = """\
select m.user_id from members m
        where m.conversation_id = asked.conversation_id and m.left_at is null and m.joined_seq >= asked.seq
        union all
        select m.user_id from members m
        where m.conversation_id = asked.conversation_id and m.left_at is null and m.joined_seq is null
              and seq_at(m.conversation_id, m.joined_at) > asked.seq"""
"""The members of a group with `history = 'since_joined'` for whom the message `asked` does not exist."""

NOT_SEEING = f"""\
-- name: members.not_seeing
select asked.conversation_id, asked.seq, array_agg(m.user_id) as user_ids
from unnest($1::uuid[], $2::bigint[]) as asked(conversation_id, seq)
join conversations c on c.id = asked.conversation_id and c.history = 'since_joined'
cross join lateral ({JOINED_AFTER}) m
group by asked.conversation_id, asked.seq"""  # noqa: S608


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
