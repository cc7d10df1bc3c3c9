"""Rooms that a socket was not put into at connect: joined when its user writes, or something happens, there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from synctalk_contracts.ids import MAX_INT64
from synctalk_runtime.errors import NotFoundError, UnavailableError

from synctalk_gateway.actions.subscribing import all_subscribed
from synctalk_gateway.clients.api import Api
from synctalk_gateway.hub import packets
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.registry import Registry
from synctalk_gateway.limits import RateLimits
from synctalk_gateway.protocol.wire import Encoded

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
        if not (connection.partial or connection.joining) and await connection.entered(conversation_id, JOIN_WAIT_S):
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
            joined = _reached(states)
            self._settle_all(connection, new, joined)
            connection.resume(joined, _since(states))

    async def join_later(self, connection: Connection, conversation_ids: list[str], since: datetime | None) -> None:
        """Join the rooms of those of which the user is a member, and ask the client to sync what has changed `since`.

        Raises:
            UnavailableError: Redis or api does not answer; the socket is in none of them.
        """
        new = [conversation_id for conversation_id in conversation_ids if conversation_id not in connection.rooms]
        if not new:
            return
        connection.pause()
        joined: dict[str, int] = {}
        changed: dict[str, Any] = {}
        try:
            await all_subscribed([self.registry.join(conversation_id, connection) for conversation_id in new])
            states = (await self.api.states(connection.user_id, new, since)).items
            cursors = {state.id: max(0, state.change_seq - 1) for state in states if state.changed}
            if cursors:
                changed = (await self.api.sync(connection.user_id, cursors))["conversations"]
            joined = {state.id: state.change_seq for state in states if state.id not in changed} | _reached(changed)
        finally:
            self._settle_all(connection, new, joined)
            connection.resume(joined, _since(changed))

    def _settle_all(self, connection: Connection, new: Iterable[str], joined: Mapping[str, int]) -> None:
        for conversation_id in new:
            self._settle(connection, conversation_id, joined.get(conversation_id))

    def _settle(self, connection: Connection, conversation_id: str, change_seq: int | None) -> None:
        """Stay in the room, with the state up to `change_seq`, or leave it if there is none."""
        room = self.registry.rooms.get(conversation_id)
        if room is None:
            return
        if change_seq is None:
            room.leave(connection)
        else:
            room.note_state(connection, change_seq)


def _reached(states: Mapping[str, Any]) -> dict[str, int]:
    """Return the position of each conversation that the user is in."""
    return {c: state["change_seq"] for c, state in states.items() if not state.get("removed")}


def _since(states: Mapping[str, Any]) -> list[Encoded]:
    """Encode the messages of these states, and that the client has to sync what was before them."""
    joined = _reached(states)
    messages = [
        packets.message(message, new=_is_new(message)) for c in joined for message in states[c].get("messages") or ()
    ]
    return [*messages, packets.sync_required(joined)] if joined else []


def _is_new(message: dict[str, Any]) -> bool:
    return not (message["deleted_at"] or message["edited_at"] or message["reactions"])
