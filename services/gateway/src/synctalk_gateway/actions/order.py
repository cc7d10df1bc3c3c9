"""An order to api: the room check, a token from the person's bucket, and the command in its partition's line."""

import asyncio
import time

from synctalk_contracts.commands import AnyCommand
from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_runtime.limits import Limit

from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.parts import Parts

JOIN_WAIT_S = 2.0
JOIN_POLL_S = 0.01


async def must_be_in_room(parts: Parts, connection: Connection, conversation_id: str) -> None:
    """A first, cheap answer; api decides again.

    Who was let in a moment ago may speak before this gateway has heard of it: then api is asked, and the word awaited.

    Raises:
        NotFoundError: not in that conversation.
        UnavailableError: in it, but it cannot be heard here yet.
    """
    if parts.hub.is_in(connection, conversation_id):
        return
    await parts.buckets.take(parts.limits.signal, connection.user_id)
    if not await parts.api.is_member(connection.user_id, conversation_id):
        raise NotFoundError
    deadline = time.monotonic() + JOIN_WAIT_S
    while not parts.hub.is_in(connection, conversation_id):
        if time.monotonic() > deadline:
            raise UnavailableError
        await asyncio.sleep(JOIN_POLL_S)


async def order(parts: Parts, connection: Connection, command: AnyCommand, ack_id: int | None, limit: Limit) -> None:
    """Acked when api has answered. Orders of one socket reach api in the order in which they were given.

    Raises:
        NotFoundError: not in that conversation's room.
        RateLimitedError: the person's bucket is empty.
        UnavailableError: answers cannot come now, or the room cannot be heard yet; nothing was done.
    """
    await must_be_in_room(parts, connection, command.conversation_id)
    if not parts.hub.feed.standing:
        raise UnavailableError
    await parts.buckets.take(limit, connection.user_id)
    parts.commands.give(connection, ack_id, command)
