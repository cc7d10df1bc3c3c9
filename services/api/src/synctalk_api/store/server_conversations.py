"""Conversations as server keys see and change them, who are nobody's member."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from synctalk_contracts.models import Conversation, OwnState, Role, User
from synctalk_runtime.postgres import Connection

from synctalk_api.store import conversations, members
from synctalk_api.store.conversations import LockedConversation
from synctalk_api.store.messages import PREFIXED_COLUMNS

LOCK = """\
-- name: server_conversations.lock
select c.id, c.type, c.title, c.description, c.avatar_url, c.metadata, c.last_seq, c.change_seq, c.members_count,
       c.created_at, c.system_messages, c.visibility, c.posting, c.slow_mode_s, c.history, c.archived_at,
       c.external_id, 'member' as role, null::timestamptz as muted_until
from conversations c
where c.id = $1
for no key update"""


async def lock(conn: Connection, conversation_id: str) -> LockedConversation | None:
    """Lock a conversation, also a deleted one, which has no name; None: there is none."""
    row = await conn.fetchrow(LOCK, conversation_id)
    return None if row is None else conversations.locked_of(row)


IS_NAMED = """\
-- name: server_conversations.is_named
select external_id = $2 from conversations where id = $1"""

NAME = """\
-- name: server_conversations.name
update conversations set external_id = $2, change_seq = $3, updated_at = $4 where id = $1"""

EXISTS = """\
-- name: server_conversations.exists
select exists (select from conversations where id = $1 and deleted_at is null)"""

LAST_SEQ = """\
-- name: server_conversations.last_seq
select last_seq from conversations where id = $1"""


async def is_named(conn: Connection, conversation_id: str, external_id: str) -> bool | None:
    """Return whether the conversation has this name; None: there is no such conversation."""
    row = await conn.fetchrow(IS_NAMED, conversation_id, external_id)
    return None if row is None else bool(row[0])


async def name(conn: Connection, conversation_id: str, external_id: str, change_seq: int, now: datetime) -> None:
    await conn.execute(NAME, conversation_id, external_id, change_seq, now)


async def exists(conn: Connection, conversation_id: str) -> bool:
    return bool(await conn.fetchval(EXISTS, conversation_id))


async def last_seq(conn: Connection, conversation_id: str) -> int:
    found: int = await conn.fetchval(LAST_SEQ, conversation_id)
    return found


VIEW = f"""\
-- name: server_conversations.view
select c.id, c.type, c.title, c.last_seq, c.change_seq, c.members_count, c.pins_count, c.created_at, c.updated_at,
       c.description, c.avatar_url, c.metadata, c.system_messages, c.visibility, c.posting, c.slow_mode_s,
       c.history, c.archived_at, c.external_id, {PREFIXED_COLUMNS}
from conversations c
left join displayed_messages m on m.conversation_id = c.id and m.seq = c.last_seq
where c.id = $1 and c.deleted_at is null"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class HostView:
    """A conversation with the name that the host app gave it."""

    shared: Conversation
    """As a member would see it who has read nothing; what is a member's own in it says nothing."""
    external_id: str | None
    users: list[User] | None
    """Both of a direct one."""


async def view(conn: Connection, conversation_id: str) -> HostView | None:
    """Return the conversation; None: there is none, or none any more."""
    row = await conn.fetchrow(VIEW, conversation_id)
    if row is None:
        return None
    shared = conversations.shared_of(row, peer=None, role=Role.MEMBER, read_seq=0, unread_count=0, me=OwnState())
    both = await members.page(conn, conversation_id, None, 2) if shared.type == "direct" else None
    return HostView(shared, row["external_id"], None if both is None else [member.user for member in both])


PRESENT = """\
-- name: server_conversations.present
select user_id, role, joined_at from members where conversation_id = $1 and left_at is null order by user_id"""


@dataclass(frozen=True, slots=True)
class Present:
    role: Role
    joined_at: datetime


async def present(conn: Connection, conversation_id: str) -> dict[str, Present]:
    """Return all members by user."""
    rows = await conn.fetch(PRESENT, conversation_id)
    return {row["user_id"]: Present(Role(row["role"]), row["joined_at"]) for row in rows}


END = """\
-- name: server_conversations.end
update members m set left_at = $4, change_seq = x.change_seq
from unnest($2::uuid[], $3::bigint[]) as x(user_id, change_seq)
where m.conversation_id = $1 and m.user_id = x.user_id"""

LIFT_BANS = """\
-- name: server_conversations.lift_bans
delete from bans where conversation_id = $1 and user_id = any($2::uuid[])"""


async def end(
    conn: Connection, conversation_id: str, user_ids: Sequence[str], change_seqs: Sequence[int], now: datetime
) -> None:
    """Make these members former ones."""
    await conn.execute(END, conversation_id, user_ids, change_seqs, now)


async def lift_bans(conn: Connection, conversation_id: str, user_ids: Sequence[str]) -> None:
    """Let these users come in, whatever bans they have."""
    await conn.execute(LIFT_BANS, conversation_id, user_ids)
