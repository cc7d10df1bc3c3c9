"""Who is no member learns nothing: every way into a conversation begins here."""

from synctalk_contracts.models import Role
from synctalk_runtime.errors import NotFoundError
from synctalk_runtime.postgres import Connection

from synctalk_api.store import conversations, members
from synctalk_api.store.conversations import LockedConversation


async def require_member(conn: Connection, conversation_id: str, user_id: str) -> Role:
    role = await members.role_of(conn, conversation_id, user_id)
    if role is None:
        raise NotFoundError
    return role


async def locked_by_member(conn: Connection, conversation_id: str, user_id: str) -> LockedConversation:
    """Nobody else numbers anything in it until the transaction ends."""
    locked = await conversations.lock(conn, conversation_id, user_id)
    if locked is None:
        raise NotFoundError
    return locked
