"""An order to api: the room check, a token from the person's bucket, and the command in its partition's line."""

from synctalk_contracts.commands import AnyCommand
from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_runtime.limits import Limit

from synctalk_gateway.context import Context
from synctalk_gateway.hub.connection import Connection


def must_be_in_room(ctx: Context, connection: Connection, conversation_id: str) -> None:
    """A first, cheap answer; api decides again. Raises NotFoundError."""
    if not ctx.hub.is_in(connection, conversation_id):
        raise NotFoundError


async def order(ctx: Context, connection: Connection, command: AnyCommand, ack_id: int | None, limit: Limit) -> None:
    """Acked when api has answered. Orders of one socket reach api in the order in which they were given.

    Raises:
        NotFoundError: not in that conversation's room.
        RateLimitedError: the person's bucket is empty.
        UnavailableError: answers cannot come now; nothing was done.
    """
    must_be_in_room(ctx, connection, command.conversation_id)
    if not ctx.hub.feed.standing:
        raise UnavailableError
    await ctx.buckets.take(limit, connection.user_id)
    ctx.commands.give(connection, ack_id, command)
