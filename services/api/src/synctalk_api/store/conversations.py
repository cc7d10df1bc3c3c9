"""The table `conversations`, and the view that each member has of one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import asyncpg
from synctalk_contracts.models import Conversation, Role
from synctalk_contracts.topology import partition_of
from synctalk_runtime.errors import NotFoundError
from synctalk_runtime.postgres import Connection

from synctalk_api import terms
from synctalk_api.store import users
from synctalk_api.store.messages import PREFIXED_COLUMNS, MessageRow
from synctalk_api.store.own_views import BEGINS_AFTER, OWN_COLUMNS, PINS_COUNT, own_state

PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Details:
    """What a group says of itself; a direct conversation has the defaults."""

    title: str | None = None
    description: str = ""
    avatar_url: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    system_messages: bool = False
    visibility: Literal["private", "public"] = "private"
    posting: Literal["everyone", "admins"] = "everyone"
    slow_mode_s: int = 0
    history: Literal["all", "since_joined"] = "all"

    @property
    def terms(self) -> str | None:
        """What the group is found by among the public ones."""
        return terms.title_vector(self.title or "") if self.visibility == PUBLIC else None


@dataclass(frozen=True, slots=True)
class NewConversation:
    id: str
    type: str
    details: Details
    direct_key: str | None
    created_by: str
    created_at: datetime
    members_count: int
    external_id: str | None = None
    """What a host app calls it."""


INSERT = """\
-- name: conversations.insert
insert into conversations (id, type, title, direct_key, created_by, created_at, change_seq, members_count, active_at,
                           updated_at, partition, description, avatar_url, metadata, visibility, title_terms,
                           members_changed_at, posting, slow_mode_s, system_messages, external_id,
                           history)
select $1, $2, $3, $4, $5, $6, 1, $7, $6, $6, here.partition, $9, $10, $11, $12, $13::text::tsvector, $6,
       $14, $15, $16, $17, $18
from (select partition from partitions where partition = $8 and moved_to is null for key share) here
on conflict do nothing
returning id"""


async def insert(conn: Connection, new: NewConversation) -> bool:
    """Insert the conversation.

    False: a direct one of these two users exists already, or its partition has been moved to another store.
    """
    row = await conn.fetchval(
        INSERT,
        new.id,
        new.type,
        new.details.title,
        new.direct_key,
        new.created_by,
        new.created_at,
        new.members_count,
        partition_of(new.id),
        new.details.description,
        new.details.avatar_url,
        new.details.metadata,
        new.details.visibility,
        new.details.terms,
        new.details.posting,
        new.details.slow_mode_s,
        new.details.system_messages,
        new.external_id,
        new.details.history,
    )
    return row is not None


BY_DIRECT_KEY = """\
-- name: conversations.by_direct_key
select id from conversations where direct_key = $1"""


async def by_direct_key(conn: Connection, key: str) -> str | None:
    found: str | None = await conn.fetchval(BY_DIRECT_KEY, key)
    return found


WITH_OTHER_KEY = """\
-- name: conversations.with_other_key
select id from conversations where id = $1"""


async def with_other_key(conn: Connection, conversation_id: str) -> str | None:
    """Return the direct conversation with this id, which has another key since a guest was claimed; None: no such."""
    found: str | None = await conn.fetchval(WITH_OTHER_KEY, conversation_id)
    return found


@dataclass(frozen=True, slots=True)
class LockedConversation:
    """The row while nobody else can number anything in the conversation, and the role of the user who locked it."""

    id: str
    type: str
    details: Details
    last_seq: int
    change_seq: int
    members_count: int
    created_at: datetime
    role: Role
    muted_until: datetime | None
    archived_at: datetime | None
    external_id: str | None


LOCK = """\
-- name: conversations.lock
select c.id, c.type, c.title, c.description, c.avatar_url, c.metadata, c.system_messages, c.visibility, c.posting,
       c.slow_mode_s, c.history, c.archived_at, c.last_seq, c.change_seq, c.members_count, c.created_at, c.external_id,
       m.role,
       m.muted_until
from conversations c
join members m on m.conversation_id = c.id
where c.id = $1 and m.user_id = $2 and m.left_at is null
for no key update of c, m"""


async def lock(conn: Connection, conversation_id: str, user_id: str) -> LockedConversation | None:
    """Lock the conversation and the membership; None: no such conversation, or the user is no member."""
    row = await conn.fetchrow(LOCK, conversation_id, user_id)
    return None if row is None else locked_of(row)


LOCK_GROUP = """\
-- name: conversations.lock_group
select c.id, c.type, c.title, c.description, c.avatar_url, c.metadata, c.last_seq, c.change_seq, c.members_count,
       c.created_at, c.system_messages, c.visibility, c.posting, c.slow_mode_s, c.history, c.archived_at,
       c.external_id, 'member' as role, null::timestamptz as muted_until
from conversations c
where c.id = $1 and c.type = 'group'
for no key update"""


async def lock_group(conn: Connection, conversation_id: str) -> LockedConversation | None:
    """Lock a group for a user who may be no member of it; None: no such group."""
    row = await conn.fetchrow(LOCK_GROUP, conversation_id)
    return None if row is None else locked_of(row)


def locked_of(row: asyncpg.Record) -> LockedConversation:
    """Make it of a row with its columns."""
    return LockedConversation(
        row["id"],
        row["type"],
        Details(
            row["title"],
            row["description"],
            row["avatar_url"],
            row["metadata"],
            row["system_messages"],
            row["visibility"],
            row["posting"],
            row["slow_mode_s"],
            row["history"],
        ),
        row["last_seq"],
        row["change_seq"],
        row["members_count"],
        row["created_at"],
        Role(row["role"]),
        row["muted_until"],
        row["archived_at"],
        row["external_id"],
    )


LOCK_ANY = """\
-- name: conversations.lock_any
select type, last_seq, change_seq, members_count, pins_count, system_messages, archived_at,
       null::timestamptz as muted_until, history = 'since_joined' as hides, 0::bigint as begins_after
from conversations
where id = $1
for no key update"""


async def lock_any(conn: Connection, conversation_id: str) -> asyncpg.Record:
    """Lock the conversation for what no member does, and return its type and numbers.

    Raises NotFoundError where it is not in this store: conversations are moved, and never deleted.
    """
    row = await conn.fetchrow(LOCK_ANY, conversation_id)
    if row is None:
        raise NotFoundError
    return row


IS_PUBLIC = """\
-- name: conversations.is_public
select visibility = 'public' from conversations where id = $1"""


async def is_public(conn: Connection, conversation_id: str) -> bool:
    return bool(await conn.fetchval(IS_PUBLIC, conversation_id))


MEMBERS_COUNT = """\
-- name: conversations.members_count
select members_count from conversations where id = $1"""


async def members_count(conn: Connection, conversation_id: str) -> int:
    return int(await conn.fetchval(MEMBERS_COUNT, conversation_id) or 0)


COUNT_CHANGES = """\
-- name: conversations.count_changes
update conversations
set change_seq = $2, members_count = members_count + $3, updated_at = $4,
    members_changed_at = case when $3 = 0 then members_changed_at else $4 end
where id = $1"""


async def count_changes(
    conn: Connection, conversation_id: str, change_seq: int, now: datetime, *, more_members: int = 0
) -> None:
    await conn.execute(COUNT_CHANGES, conversation_id, change_seq, more_members, now)


SET_DETAILS = """\
-- name: conversations.set_details
update conversations
set title = $2, description = $3, avatar_url = $4, metadata = $5, change_seq = $6, updated_at = $7, visibility = $8,
    title_terms = $9::text::tsvector, posting = $10, slow_mode_s = $11, system_messages = $12, history = $13,
    reset_seq = case when history = $13 then reset_seq else $6 end
where id = $1"""


async def set_details(conn: Connection, conversation_id: str, details: Details, change_seq: int, now: datetime) -> None:
    await conn.execute(
        SET_DETAILS,
        conversation_id,
        details.title,
        details.description,
        details.avatar_url,
        details.metadata,
        change_seq,
        now,
        details.visibility,
        details.terms,
        details.posting,
        details.slow_mode_s,
        details.system_messages,
        details.history,
    )


SET_ARCHIVED = """\
-- name: conversations.set_archived
update conversations set archived_at = $2, change_seq = $3, updated_at = $4 where id = $1"""


async def set_archived(
    conn: Connection, conversation_id: str, archived_at: datetime | None, change_seq: int, now: datetime
) -> None:
    await conn.execute(SET_ARCHIVED, conversation_id, archived_at, change_seq, now)


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


KINDS_ROLES_AND_SIZES = """\
-- name: conversations.kinds_roles_and_sizes
select m.conversation_id, m.user_id, c.type, m.role, c.members_count
from unnest($1::uuid[], $2::uuid[]) as asked(conversation_id, user_id)
join members m on m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.left_at is null
join conversations c on c.id = m.conversation_id"""


async def kinds_roles_and_sizes(
    conn: Connection, places: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, Role, int]]:
    """Return for (conversation, user) what decides about rights: type, role, number of members."""
    rows = await conn.fetch(KINDS_ROLES_AND_SIZES, [c for c, _ in places], [u for _, u in places])
    return {
        (row["conversation_id"], row["user_id"]): (row["type"], Role(row["role"]), row["members_count"]) for row in rows
    }


VIEWS = f"""\
-- name: conversations.views
select c.id, c.type, c.title, c.last_seq, c.change_seq, c.members_count, c.created_at, c.updated_at,
       c.description, c.avatar_url, c.metadata, c.system_messages, c.visibility, c.posting, c.slow_mode_s, c.history,
       c.archived_at, {PINS_COUNT} as pins_count,
       {OWN_COLUMNS},
       peer.*,
       {PREFIXED_COLUMNS}
from unnest($1::int[], $2::uuid[], $3::uuid[]) as asked(n, conversation_id, user_id)
join members me on me.conversation_id = asked.conversation_id and me.user_id = asked.user_id and me.left_at is null
join conversations c on c.id = asked.conversation_id
left join lateral (
  select {users.PREFIXED_COLUMNS}
  from members other
  join users u on u.id = other.user_id
  where c.type = 'direct' and other.conversation_id = c.id and other.user_id <> me.user_id
  limit 1
) peer on true
left join displayed_messages m on m.conversation_id = c.id and m.seq = c.last_seq and m.seq > {BEGINS_AFTER}
order by asked.n"""  # noqa: S608


async def views(conn: Connection, wanted: Sequence[tuple[str, str]]) -> list[Conversation]:
    """Return the conversations as their members see them, for (conversation, user) pairs in their sequence.

    Those who are no members are left out.
    """
    rows = await conn.fetch(VIEWS, list(range(len(wanted))), [c for c, _ in wanted], [u for _, u in wanted])
    return [_view(row) for row in rows]


def _view(row: asyncpg.Record) -> Conversation:
    return shared_of(
        row,
        peer=None if row["user_id"] is None else users.from_row(row, "user_"),
        read_seq=row["read_seq"],
        unread_count=row["unread_count"],
        role=Role(row["role"]),
        me=own_state(row),
    )


def shared_of(row: asyncpg.Record, **own: Any) -> Conversation:
    """Make the conversation of a row with what all members share, and of what is a member's own."""
    return Conversation(
        id=row["id"],
        type=row["type"],
        title=row["title"],
        last_seq=row["last_seq"],
        change_seq=row["change_seq"],
        last_message=None if row["message_id"] is None else MessageRow.from_row(row, "message_").to_model(),
        members_count=row["members_count"],
        pins_count=row["pins_count"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        description=row["description"],
        avatar_url=row["avatar_url"],
        metadata=row["metadata"],
        visibility=row["visibility"],
        posting=row["posting"],
        slow_mode_s=row["slow_mode_s"],
        history=row["history"],
        archived_at=row["archived_at"],
        system_messages=row["system_messages"],
        **own,
    )


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
