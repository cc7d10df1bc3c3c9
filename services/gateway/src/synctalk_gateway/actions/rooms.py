"""Rooms that a socket was not put into at connect: joined when its user writes, or something happens, there."""

from dataclasses import dataclass
from typing import Any

from synctalk_contracts.ids import MAX_INT64
from synctalk_runtime.errors import NotFoundError, UnavailableError

from synctalk_gateway.actions.subscribing import all_subscribed
from synctalk_gateway.clients.api import Api
from synctalk_gateway.hub import packets
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.registry import Registry
from synctalk_gateway.limits import RateLimits

JOIN_WAIT_S = 2.0


@dataclass(frozen=True, slots=True)
class RoomMembership:
    registry: Registry
    api: Api
    limits: RateLimits

    async def must_be_in_room(self, connection: Connection, conversation_id: str) -> None:
        """Check membership, cheaply; api decides again.

        A user who was added a moment ago may write before this gateway knows of it: then api is asked, and the event
        awaited. A conversation that was not joined at connect, or whose event was lost, is joined now.

        Raises:
            NotFoundError: not in that conversation.
            UnavailableError: in it, but its events cannot be received here yet.
        """
        if self.registry.is_in(connection, conversation_id):
            return
        await self.limits.take_signal(connection.user_id)
        if not await self.api.is_member(connection.user_id, conversation_id):
            raise NotFoundError
        if not connection.partial and await connection.entered(conversation_id, JOIN_WAIT_S):
            return
        await self.join(connection, {conversation_id: MAX_INT64})
        if not self.registry.is_in(connection, conversation_id):
            raise UnavailableError

    async def join(self, connection: Connection, cursors: dict[str, int]) -> None:
        """Join the rooms of those conversations of which the user is a member, and ask the client to sync them.

        The messages since the cursor are sent as events, so that what woke a conversation up is seen at once; what was
        before them the client has to sync.

        Raises:
            UnavailableError: Redis or api does not answer; the socket is in none of them.
        """
        new = {c: change_seq for c, change_seq in cursors.items() if c not in connection.rooms}
        if not new:
            return
        connection.pause()
        states: dict[str, Any] = {}
        try:
            await all_subscribed([self.registry.join(conversation_id, connection) for conversation_id in new])
            states = (await self.api.sync(connection.user_id, new))["conversations"]
        finally:
            joined = {c: states[c]["change_seq"] for c in new if c in states and not states[c].get("removed")}
            for conversation_id in new:
                self._settle(connection, conversation_id, joined.get(conversation_id))
            first = [
                packets.message(message, new=_is_new(message))
                for conversation_id in joined
                for message in states[conversation_id].get("messages") or ()
            ]
            if joined:
                first.append(packets.sync_required(joined))
            connection.resume(joined, first)

    def _settle(self, connection: Connection, conversation_id: str, change_seq: int | None) -> None:
        """Stay in the room, with the state up to `change_seq`, or leave it if there is none."""
        room = self.registry.rooms.get(conversation_id)
        if room is None:
            return
        if change_seq is None:
            room.leave(connection)
        else:
            room.note_state(connection, change_seq)


def _is_new(message: dict[str, Any]) -> bool:
    return not (message["deleted_at"] or message["edited_at"] or message["reactions"])
