"""The registry: connections by user and session, and rooms by conversation.

Losing a connection costs what that connection uses, never a loop over all rooms.
"""

import asyncio
from collections import defaultdict

from prometheus_client import Gauge
from synctalk_contracts import topology

from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.feed import Channels, Receive
from synctalk_gateway.hub.profiles import Profiles
from synctalk_gateway.hub.room import Room, RoomCallbacks, RoomSettings

CONNECTIONS = Gauge("gateway_connections", "Authenticated sockets.")
ROOMS = Gauge("gateway_rooms", "Conversations with a socket here.")


class Registry:
    """The connections and rooms here; subscribed to exactly the channels of their users and conversations."""

    def __init__(self, feed: Channels, room_settings: RoomSettings, room_callbacks: RoomCallbacks) -> None:
        self.connections: dict[str, Connection] = {}
        self.rooms: dict[str, Room] = {}
        self.by_user: dict[str, set[Connection]] = defaultdict(set)
        self.by_session: dict[str, set[Connection]] = defaultdict(set)
        self.profiles = Profiles(self.by_user)
        self._feed = feed
        self._room_settings = room_settings
        self._room_callbacks = room_callbacks

    def add(self, connection: Connection, receive: Receive) -> asyncio.Future[None]:
        """Register; `receive` gets what comes on the user's channel. Done when that is subscribed."""
        self.connections[connection.id] = connection
        self.by_user[connection.user_id].add(connection)
        self.by_session[connection.session_id].add(connection)
        CONNECTIONS.set(len(self.connections))
        return self._feed.subscribe(topology.user_channel(connection.user_id), receive)

    def remove(self, connection: Connection) -> None:
        if self.connections.pop(connection.id, None) is None:
            return
        CONNECTIONS.set(len(self.connections))
        if connection.timer is not None:
            connection.timer.cancel()
        for room in self.rooms_of(connection):
            room.leave(connection)
        if discard(self.by_user, connection.user_id, connection):
            self._feed.unsubscribe(topology.user_channel(connection.user_id))
        discard(self.by_session, connection.session_id, connection)

    def join(self, conversation_id: str, connection: Connection) -> asyncio.Future[None]:
        """Put a connection into a room; done when the conversation's channel is subscribed."""
        room = self.rooms.get(conversation_id)
        if room is None:
            room = Room(conversation_id, self._room_settings, self._room_callbacks, self.profiles, self._close)
            self.rooms[conversation_id] = room
            ROOMS.set(len(self.rooms))
        room.add(connection)
        return self._feed.subscribe(topology.conversation_channel(conversation_id), room.receive)

    def is_in(self, connection: Connection, conversation_id: str) -> bool:
        room = self.rooms.get(conversation_id)
        return room is not None and connection in room.connections

    def rooms_of(self, connection: Connection) -> list[Room]:
        return [self.rooms[conversation_id] for conversation_id in connection.rooms]

    def _close(self, room: Room) -> None:
        """Close an empty room."""
        if self.rooms.get(room.id) is room:
            room.close()
            del self.rooms[room.id]
            ROOMS.set(len(self.rooms))
            self._feed.unsubscribe(topology.conversation_channel(room.id))

    def close(self) -> None:
        self.profiles.close()


def discard(index: dict[str, set[Connection]], key: str, connection: Connection) -> bool:
    """Take a connection out of an index; return whether it was the last one under the key."""
    connections = index.get(key)
    if connections is None:
        return False
    connections.discard(connection)
    if connections:
        return False
    del index[key]
    return True
