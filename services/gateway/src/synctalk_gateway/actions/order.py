"""An order to api: the room check, a token from the person's bucket, and the command in its partition's line."""

from synctalk_contracts.commands import AnyCommand
from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_runtime.limits import Limit

from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.parts import Parts


def must_be_in_room(parts: Parts, connection: Connection, conversation_id: str) -> None:
    """A first, cheap answer; api decides again. Raises NotFoundError."""
    if not parts.hub.is_in(connection, conversation_id):
        raise NotFoundError


async def order(parts: Parts, connection: Connection, command: AnyCommand, ack_id: int | None, limit: Limit) -> None:
    """Acked when api has answered. Orders of one socket reach api in the order in which they were given.

    Raises:
        NotFoundError: not in that conversation's room.
        RateLimitedError: the person's bucket is empty.
        UnavailableError: answers cannot come now; nothing was done.
    """
    must_be_in_room(parts, connection, command.conversation_id)
    if not parts.hub.feed.standing:
        raise UnavailableError
    await parts.buckets.take(limit, connection.user_id)
    parts.commands.give(connection, ack_id, command)
