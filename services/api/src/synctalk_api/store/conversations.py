"""The table `conversations`, and the view that each member has of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from synctalk_contracts.models import Conversation, Role, User
from synctalk_runtime.postgres import Connection

from synctalk_api.store.messages import PREFIXED_COLUMNS, MessageRow


@dataclass(frozen=True, slots=True)
class NewConversation:
    id: str
    type: str
    title: str | None
    direct_key: str | None
    created_by: str
    created_at: datetime
    members_count: int


INSERT = """\
-- name: conversations.insert
insert into conversations (id, type, title, direct_key, created_by, created_at, change_seq, members_count, active_at,
                           updated_at)
values ($1, $2, $3, $4, $5, $6, 1, $7, $6, $6)
on conflict do nothing
returning id"""


async def insert(conn: Connection, new: NewConversation) -> bool:
    """Insert the conversation; False: a direct one of these two users exists already."""
    row = await conn.fetchval(
        INSERT, new.id, new.type, new.title, new.direct_key, new.created_by, new.created_at, new.members_count
    )
    return row is not None


BY_DIRECT_KEY = """\
-- name: conversations.by_direct_key
select id from conversations where direct_key = $1"""


async def by_direct_key(conn: Connection, key: str) -> str | None:
    found: str | None = await conn.fetchval(BY_DIRECT_KEY, key)
    return found


@dataclass(frozen=True, slots=True)
class LockedConversation:
    """The row while nobody else can number anything in the conversation, and the role of the user who locked it."""

    id: str
    type: str
    title: str | None
    last_seq: int
    change_seq: int
    members_count: int
    created_at: datetime
    role: Role


LOCK = """\
-- name: conversations.lock
select c.id, c.type, c.title, c.last_seq, c.change_seq, c.members_count, c.created_at, m.role
from conversations c
join members m on m.conversation_id = c.id
where c.id = $1 and m.user_id = $2 and m.left_at is null
for no key update of c, m"""


async def lock(conn: Connection, conversation_id: str, user_id: str) -> LockedConversation | None:
    """Lock the conversation and the membership; None: no such conversation, or the user is no member."""
    row = await conn.fetchrow(LOCK, conversation_id, user_id)
    if row is None:
        return None
    return LockedConversation(
        row["id"],
        row["type"],
        row["title"],
        row["last_seq"],
        row["change_seq"],
        row["members_count"],
        row["created_at"],
        Role(row["role"]),
    )


COUNT_CHANGES = """\
-- name: conversations.count_changes
update conversations set change_seq = $2, members_count = members_count + $3, updated_at = $4 where id = $1"""


async def count_changes(
    conn: Connection, conversation_id: str, change_seq: int, now: datetime, *, more_members: int = 0
) -> None:
    await conn.execute(COUNT_CHANGES, conversation_id, change_seq, more_members, now)


RENAME = """\
-- name: conversations.rename
update conversations set title = $2, change_seq = $3, updated_at = $4 where id = $1"""


async def rename(conn: Connection, conversation_id: str, title: str, change_seq: int, now: datetime) -> None:
    await conn.execute(RENAME, conversation_id, title, change_seq, now)


KIND_AND_ROLE = """\
-- name: conversations.kind_and_role
select c.type, m.role
from conversations c
join members m on m.conversation_id = c.id
where c.id = $1 and m.user_id = $2 and m.left_at is null"""


async def kind_and_role(conn: Connection, conversation_id: str, user_id: str) -> tuple[str, Role] | None:
    """Return the conversation's type and the user's role; None: not a member."""
    row = await conn.fetchrow(KIND_AND_ROLE, conversation_id, user_id)
    return None if row is None else (row["type"], Role(row["role"]))


VIEWS = f"""\
-- name: conversations.views
select c.id, c.type, c.title, c.last_seq, c.change_seq, c.members_count, c.created_at, c.updated_at,
       me.role, me.read_seq,
       c.last_seq - me.read_seq - (select count(*) from messages gone
                                   where gone.conversation_id = c.id and gone.seq > me.read_seq
                                         and gone.deleted_at is not null) as unread_count,
       peer.id as peer_id, peer.username as peer_username, peer.display_name as peer_display_name,
       peer.avatar_url as peer_avatar_url,
       {PREFIXED_COLUMNS}
from unnest($1::int[], $2::uuid[], $3::uuid[]) as asked(n, conversation_id, user_id)
join members me on me.conversation_id = asked.conversation_id and me.user_id = asked.user_id and me.left_at is null
join conversations c on c.id = asked.conversation_id
left join lateral (
  select u.id, u.username, u.display_name, u.avatar_url
  from members other
  join users u on u.id = other.user_id
  where c.type = 'direct' and other.conversation_id = c.id and other.user_id <> me.user_id
  limit 1
) peer on true
left join displayed_messages m on m.conversation_id = c.id and m.seq = c.last_seq
order by asked.n"""  # noqa: S608


async def views(conn: Connection, wanted: Sequence[tuple[str, str]]) -> list[Conversation]:
    """Return the conversations as their members see them, for (conversation, user) pairs in their sequence.

    Those who are no members are left out. Unread needs no count of messages: sending raises the sender's own watermark,
    so all above it are by others, without a gap; only the deleted ones among them are subtracted.
    """
    rows = await conn.fetch(VIEWS, list(range(len(wanted))), [c for c, _ in wanted], [u for _, u in wanted])
    return [_view(row) for row in rows]


def _view(row: asyncpg.Record) -> Conversation:
    return Conversation(
        id=row["id"],
        type=row["type"],
        title=row["title"],
        peer=_peer(row),
        last_seq=row["last_seq"],
        change_seq=row["change_seq"],
        read_seq=row["read_seq"],
        unread_count=row["unread_count"],
        role=Role(row["role"]),
        last_message=None if row["message_id"] is None else MessageRow.from_row(row, "message_").to_model(),
        members_count=row["members_count"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _peer(row: asyncpg.Record) -> User | None:
    if row["peer_id"] is None:
        return None
    return User(
        id=row["peer_id"],
        username=row["peer_username"],
        display_name=row["peer_display_name"],
        avatar_url=row["peer_avatar_url"],
    )


SNAPSHOT = """\
-- name: conversations.snapshot
select pg_current_snapshot()::text"""


async def snapshot(conn: Connection) -> str:
    """Return PostgreSQL's name of what this transaction sees, for `page`."""
    found: str = await conn.fetchval(SNAPSHOT)
    return found


PAGE = """\
-- name: conversations.page
select c.id, activity.at
from members me
join conversations c on c.id = me.conversation_id
cross join lateral (
  select case
    when c.active_at < $2::timestamptz - interval '1 minute' then c.active_at
    else coalesce(
      (select m.created_at
       from messages m
       where m.conversation_id = c.id and (m.created_at < $2 - interval '1 minute'
                                           or pg_visible_in_snapshot(m.txid, $3::text::pg_snapshot))
       order by m.seq desc
       limit 1),
      c.created_at)
  end as at
) activity
where me.user_id = $1 and me.left_at is null
      and ($4::timestamptz is null or (activity.at, c.id) < ($4, $5::uuid))
order by activity.at desc, c.id desc
limit $6"""


@dataclass(frozen=True, slots=True)
class ListSnapshot:
    """The state that all pages of a user's list show: that at `started_at`, as the database's `snapshot` names it."""

    started_at: datetime
    snapshot: str


async def page(
    conn: Connection, user_id: str, snapshot: ListSnapshot, position: tuple[datetime, str] | None, limit: int
) -> list[tuple[str, datetime]]:
    """Return (id, activity) as of the snapshot, newest activity first, after `position`.

    Activity as of a moment cannot go by time alone: a message with an earlier time may be committed later. So within a
    minute of the snapshot's start (no transaction is open longer) the database's own snapshot decides, before that the
    time.
    """
    at, conversation_id = position or (None, None)
    rows = await conn.fetch(PAGE, user_id, snapshot.started_at, snapshot.snapshot, at, conversation_id, limit)
    return [(row["id"], row["at"]) for row in rows]


STATES = """\
-- name: conversations.states
select c.id, c.last_seq, c.change_seq
from members me
join conversations c on c.id = me.conversation_id
where me.user_id = $1 and me.left_at is null
order by c.active_at desc, c.id desc
limit $2"""


async def states(conn: Connection, user_id: str, limit: int) -> list[asyncpg.Record]:
    """Return the latest numbers of a user's conversations, newest activity first."""
    return await conn.fetch(STATES, user_id, limit)


HEADS = """\
-- name: conversations.heads
select id, change_seq from conversations where id = any($1::uuid[])"""


async def heads(conn: Connection, conversation_ids: Sequence[str]) -> dict[str, int]:
    """Return the latest change_seq by conversation; unknown ones are left out."""
    return {row["id"]: row["change_seq"] for row in await conn.fetch(HEADS, conversation_ids)}


ROOM = """\
-- name: conversations.room
select c.change_seq,
       array(select m.user_id
             from members m
             where m.conversation_id = c.id and m.user_id = any($2::uuid[]) and m.left_at is null) as member_ids
from conversations c
where c.id = $1"""


async def room(conn: Connection, conversation_id: str, user_ids: Sequence[str]) -> tuple[int, list[str]]:
    """Return (change_seq, members among `user_ids`) as of one moment; (0, []) for an unknown conversation."""
    row = await conn.fetchrow(ROOM, conversation_id, user_ids)
    return (0, []) if row is None else (row["change_seq"], row["member_ids"])


CHANGE_SEQS = """\
-- name: conversations.change_seqs
select c.id, c.change_seq
from members me
join conversations c on c.id = me.conversation_id
where me.user_id = $1 and me.conversation_id = any($2::uuid[]) and me.left_at is null"""


async def change_seqs(conn: Connection, user_id: str, conversation_ids: Sequence[str]) -> dict[str, int]:
    """Return the latest `change_seq` of those that the user is a member of."""
    return {row["id"]: row["change_seq"] for row in await conn.fetch(CHANGE_SEQS, user_id, conversation_ids)}
