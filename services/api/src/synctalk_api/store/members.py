"""The table `members`: who is in a conversation, and how far each has received and read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from synctalk_contracts.events.receipts import ReceiptRead
from synctalk_contracts.ids import format_time
from synctalk_contracts.models import Member, MemberChange, Role, User
from synctalk_runtime.postgres import Connection

COLUMNS = """\
m.conversation_id, m.user_id, u.username, u.display_name, u.avatar_url, m.role, m.joined_at, m.left_at,
       m.delivered_seq, m.read_seq, m.change_seq"""
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

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> "MemberRow":
        user = User(
            id=row["user_id"],
            username=row["username"],
            display_name=row["display_name"],
            avatar_url=row["avatar_url"],
        )
        return cls(
            row["conversation_id"],
            user,
            Role(row["role"]),
            row["joined_at"],
            row["left_at"],
            row["delivered_seq"],
            row["read_seq"],
            row["change_seq"],
        )

    def to_model(self) -> Member:
        return Member(
            user=self.user,
            role=self.role,
            joined_at=self.joined_at,
            delivered_seq=self.delivered_seq,
            read_seq=self.read_seq,
        )

    def to_change(self) -> MemberChange:
        return MemberChange(
            user=self.user,
            role=None if self.left_at else self.role,
            joined_at=self.joined_at,
            delivered_seq=self.delivered_seq,
            read_seq=self.read_seq,
            change_seq=self.change_seq,
        )


ROLE_OF = """\
-- name: members.role_of
select role from members where conversation_id = $1 and user_id = $2 and left_at is null"""


async def role_of(conn: Connection, conversation_id: str, user_id: str) -> Role | None:
    """Return the user's role; None: not a member."""
    role = await conn.fetchval(ROLE_OF, conversation_id, user_id)
    return None if role is None else Role(role)


ADD = """\
-- name: members.add
insert into members (conversation_id, user_id, role, joined_at, change_seq, invited_by)
select $1, added.user_id, added.role, $4, added.change_seq, nullif($6::uuid, added.user_id)
from unnest($2::uuid[], $3::text[], $5::bigint[]) as added(user_id, role, change_seq)
on conflict (conversation_id, user_id)
do update set role = excluded.role, joined_at = excluded.joined_at, change_seq = excluded.change_seq, left_at = null,
              invited_by = excluded.invited_by"""


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


INVITED_OFTEN = """\
-- name: members.invited_often
select asked.user_id
from unnest($1::uuid[]) as asked(user_id)
where (select count(*)
       from (select from members m
             where m.user_id = asked.user_id and m.left_at is null and m.invited_by is not null
             limit $2) counted) >= $2"""


async def invited_often(conn: Connection, user_ids: Sequence[str], most: int) -> list[str]:
    """Return those whom others have put into `most` groups or more that they have not left."""
    return [row["user_id"] for row in await conn.fetch(INVITED_OFTEN, user_ids, most)]


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


MARK_GONE = """\
-- name: members.mark_gone
update members set left_at = $4, change_seq = $3 where conversation_id = $1 and user_id = $2"""


async def mark_gone(conn: Connection, conversation_id: str, user_id: str, change_seq: int, now: datetime) -> None:
    await conn.execute(MARK_GONE, conversation_id, user_id, change_seq, now)


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


RAISE_WATERMARKS = """\
-- name: members.raise_watermarks
with asked as (
  select w.conversation_id, w.user_id, least(greatest(w.delivered, w.read), c.last_seq) as delivered,
         least(w.read, c.last_seq) as read
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) as w(conversation_id, user_id, delivered, read)
  join conversations c on c.id = w.conversation_id
), locked as (
  select m.conversation_id, m.user_id, greatest(m.delivered_seq, asked.delivered) as delivered,
         greatest(m.read_seq, asked.read) as read, asked.read > m.read_seq as read_rose
  from asked
  join members m on m.conversation_id = asked.conversation_id and m.user_id = asked.user_id
  where m.left_at is null and (asked.delivered > m.delivered_seq or asked.read > m.read_seq)
  order by m.conversation_id, m.user_id
  for no key update of m
), raised as (
  update members m set delivered_seq = locked.delivered, read_seq = locked.read
  from locked
  where m.conversation_id = locked.conversation_id and m.user_id = locked.user_id
), published as (
  insert into outbox (type, envelope)
  select $5, json_build_object('id', gen_random_uuid(), 'type', $5::text, 'time', $6::text, 'payload',
                               json_build_object('conversation_id', conversation_id, 'user_id', user_id,
                                                 'read_seq', read))
  from locked where read_rose
)
select m.conversation_id, m.user_id, locked.delivered, locked.read
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

    Returns one row for each (conversation, user) that is a member; `delivered` is null where nothing rose.
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
select distinct other.user_id
from members me
join members other on other.conversation_id = me.conversation_id
where me.user_id = $1 and me.left_at is null and other.user_id = any($2::uuid[]) and other.left_at is null"""


async def contacts(conn: Connection, user_id: str, user_ids: Sequence[str]) -> list[str]:
    """Return those of `user_ids` who share a conversation with the user."""
    return [row["user_id"] for row in await conn.fetch(CONTACTS, user_id, user_ids)]


COUNT_UNRELATED = """\
-- name: members.count_unrelated
select count(*)
from unnest($2::uuid[]) as asked(user_id)
left join lateral (
  select true as shared
  from members other
  join members me on me.conversation_id = other.conversation_id and me.user_id = $1 and me.left_at is null
  where other.user_id = asked.user_id and other.left_at is null
  limit 1
) common on true
where common.shared is null"""


async def count_unrelated(conn: Connection, user_id: str, user_ids: Sequence[str]) -> int:
    """Count those of `user_ids` who share no conversation with the user: many at once, each looked up by itself."""
    count: int = await conn.fetchval(COUNT_UNRELATED, user_id, user_ids)
    return count


VIEWS = """\
-- name: members.views
select me.user_id, me.role, me.read_seq,
       c.last_seq - me.read_seq - (select count(*) from messages gone
                                   where gone.conversation_id = me.conversation_id and gone.seq > me.read_seq
                                         and gone.deleted_at is not null) as unread_count
from members me
join conversations c on c.id = me.conversation_id
where me.conversation_id = $1 and me.left_at is null"""


async def views(conn: Connection, conversation_id: str) -> list[asyncpg.Record]:
    """Return what differs from member to member in a view of the conversation."""
    return await conn.fetch(VIEWS, conversation_id)


PUSHES = """\
-- name: members.pushes
select asked.n, m.user_id is not null as member,
       coalesce(m.read_seq >= asked.seq, false) as read, coalesce(x.deleted_at is not null, false) as deleted
from unnest($1::int[], $2::uuid[], $3::uuid[], $4::bigint[]) as asked(n, user_id, conversation_id, seq)
left join members m on m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.left_at is null
left join messages x on x.conversation_id = asked.conversation_id and x.seq = asked.seq
order by asked.n"""


async def pushes(
    conn: Connection, user_ids: list[str], conversation_ids: list[str], seqs: list[int]
) -> list[asyncpg.Record]:
    """Return for each (user, conversation, seq), in their sequence, what decides whether a push is still due."""
    return await conn.fetch(PUSHES, list(range(len(seqs))), user_ids, conversation_ids, seqs)


BADGES = """\
-- name: members.badges
select me.user_id,
       sum(c.last_seq - me.read_seq - (select count(*) from messages gone
                                       where gone.conversation_id = c.id and gone.seq > me.read_seq
                                             and gone.deleted_at is not null))::bigint as badge
from members me
join conversations c on c.id = me.conversation_id
where me.user_id = any($1::uuid[]) and me.left_at is null and c.last_seq > me.read_seq
      and (me.user_id, me.conversation_id) not in (select * from unnest($2::uuid[], $3::uuid[]))
group by me.user_id"""


async def badges(conn: Connection, user_ids: Sequence[str], quiet: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Count unread messages by user, without the (user, conversation) pairs of `quiet`; zeros are left out."""
    rows = await conn.fetch(BADGES, user_ids, [user for user, _ in quiet], [conversation for _, conversation in quiet])
    return {row["user_id"]: row["badge"] for row in rows}


PAGE_OF_ALL = """\
-- name: members.page_of_all
select conversation_id, user_id, left_at is null as present, change_seq
from members
where (conversation_id, user_id) > ($1::uuid, $2::uuid)
order by conversation_id, user_id
limit $3"""


async def page_of_all(conn: Connection, conversation_id: str, user_id: str, limit: int) -> list[asyncpg.Record]:
    """Return the members after this one, of all conversations; former members too."""
    return await conn.fetch(PAGE_OF_ALL, conversation_id, user_id, limit)
