"""The check with which every action on a conversation begins: who is no member gets `not_found`."""

from synctalk_contracts.models import Role
from synctalk_runtime.errors import NotFoundError
from synctalk_runtime.postgres import Connection

from synctalk_api.store import conversations, members
from synctalk_api.store.conversations import LockedConversation


async def require_member(conn: Connection, conversation_id: str, user_id: str) -> Role:
    """Return the member's role. Raises NotFoundError when the user is no member."""
    role = await members.role_of(conn, conversation_id, user_id)
    if role is None:
        raise NotFoundError
    return role


async def lock_as_member(conn: Connection, conversation_id: str, user_id: str) -> LockedConversation:
    """Lock the conversation: nobody else numbers anything in it until the transaction ends.

    Raises NotFoundError when the user is no member.
    """
    locked = await conversations.lock(conn, conversation_id, user_id)
    if locked is None:
        raise NotFoundError
    return locked
