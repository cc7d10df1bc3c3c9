"""Commands of a socket to api: the room check, a token from the user's bucket, and the queue of the partition."""

from synctalk_contracts.encoding.commands import Encoded
from synctalk_runtime.errors import UnavailableError

from synctalk_gateway.acks import PendingAck
from synctalk_gateway.actions.rooms import RoomMembership
from synctalk_gateway.actions.typing import Typing
from synctalk_gateway.clients.commands import Commands
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.feed import Channels
from synctalk_gateway.limits import RateLimits
from synctalk_gateway.store.deliveries import Deliveries


class CommandSubmission:
    """Returns acks to come. A socket's commands of one conversation reach api in the order in which they were sent.

    All raise:
        NotFoundError: not in that conversation's room.
        RateLimitedError: the user's bucket is empty.
        UnavailableError: replies cannot come now or soon, or the room cannot be joined yet; nothing was done.
    """

    def __init__(
        self,
        commands: Commands,
        feed: Channels,
        rooms: RoomMembership,
        limits: RateLimits,
        typing: Typing,
        deliveries: Deliveries,
    ) -> None:
        self._commands = commands
        self._feed = feed
        self._rooms = rooms
        self._limits = limits
        self._typing = typing
        self._deliveries = deliveries

    async def send(self, connection: Connection, command: Encoded) -> PendingAck:
        """Send a message, which ends the typing of it."""
        self._typing.end(connection, command.conversation_id)
        await self._must_take(connection, command)
        await self._limits.take_message(connection.user_id)
        return self._commands.submit(connection.id, command)

    async def append(self, connection: Connection, command: Encoded) -> PendingAck:
        """Append to a streamed message."""
        await self._must_take(connection, command)
        await self._limits.take_stream(connection.user_id)
        return self._commands.submit(connection.id, command)

    async def change(self, connection: Connection, command: Encoded) -> PendingAck:
        """Do anything else to a message."""
        await self._must_take(connection, command)
        await self._limits.take_signal(connection.user_id)
        return self._commands.submit(connection.id, command)

    async def mark(self, connection: Connection, command: Encoded, seq: int) -> PendingAck:
        """Move a watermark; the session has everything up to it."""
        ack = await self.change(connection, command)
        self._deliveries.add(connection.session_id, command.conversation_id, seq)
        return ack

    async def _must_take(self, connection: Connection, command: Encoded) -> None:
        """Refuse before a token is taken."""
        await self._rooms.must_be_in_room(connection, command.conversation_id)
        if not self._feed.live:
            raise UnavailableError
        self._commands.must_admit(command.conversation_id)
