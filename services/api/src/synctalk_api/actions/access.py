"""The checks with which actions on a conversation begin: who is no member gets `not_found`, the muted do not write."""

from datetime import datetime

from synctalk_contracts.ids import format_time
from synctalk_contracts.models import Role
from synctalk_runtime.errors import ForbiddenError, NotFoundError
from synctalk_runtime.postgres import Connection

from synctalk_api.store import conversations, members, server_conversations
from synctalk_api.store.conversations import LockedConversation


async def require_member(conn: Connection, conversation_id: str, user_id: str) -> Role:
    """Return the member's role. Raises NotFoundError when the user is no member."""
    role = await members.role_of(conn, conversation_id, user_id)
    if role is None:
        raise NotFoundError
    return role


async def require_reader(conn: Connection, conversation_id: str, user_id: str | None) -> int:
    """Return up to which `seq` messages do not exist for the member; None, a server key, reads every conversation.

    Raises NotFoundError when the user is no member, or there is no such conversation.
    """
    if user_id is None:
        if not await server_conversations.exists(conn, conversation_id):
            raise NotFoundError
        return 0
    begins_after = await members.begins_after(conn, conversation_id, user_id)
    if begins_after is None:
        raise NotFoundError
    return begins_after


async def lock_as_member(conn: Connection, conversation_id: str, user_id: str) -> LockedConversation:
    """Lock the conversation: nobody else numbers anything in it until the transaction ends.

    Raises NotFoundError when the user is no member.
    """
    locked = await conversations.lock(conn, conversation_id, user_id)
    if locked is None:
        raise NotFoundError
    return locked


def require_open(archived_at: datetime | None) -> None:
    """Raise ForbiddenError, saying since when, for an archived conversation: nothing in it changes."""
    if archived_at is not None:
        raise archived(archived_at)


def archived(since: datetime) -> ForbiddenError:
    return ForbiddenError("This conversation is archived.", details={"archived_at": format_time(since)})


def require_unmuted(muted_until: datetime | None, now: datetime) -> None:
    """Raise ForbiddenError, saying until when, while the member may not write."""
    if muted_until is not None and muted_until > now:
        raise muted(muted_until)


def muted(until: datetime) -> ForbiddenError:
    return ForbiddenError("You are muted in this conversation.", details={"until": format_time(until)})


def blocking() -> ForbiddenError:
    return ForbiddenError("You have blocked this user. Unblock them to write to them.")
