"""Which sockets get whose presence changes."""

import asyncio
from collections import defaultdict
from functools import partial

from synctalk_contracts import topology
from synctalk_contracts.encoding import fanout

from synctalk_gateway.hub import packets
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.feed import Feed
from synctalk_gateway.hub.registry import discard


class Watchers:
    """Connections by the user they watch; subscribed to exactly those users' presence channels."""

    def __init__(self, feed: Feed) -> None:
        self.by_user: dict[str, set[Connection]] = defaultdict(set)
        self._feed = feed

    def watch(self, connection: Connection, user_id: str) -> asyncio.Future[None]:
        """Pass this user's presence changes on to the connection; done when their channel is subscribed."""
        connection.watching.add(user_id)
        self.by_user[user_id].add(connection)
        return self._feed.subscribe(topology.presence_channel(user_id), partial(self._receive, user_id))

    def unwatch(self, connection: Connection, user_id: str) -> None:
        connection.watching.discard(user_id)
        if discard(self.by_user, user_id, connection):
            self._feed.unsubscribe(topology.presence_channel(user_id))

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        for user_id in list(connection.watching):
            self.unwatch(connection, user_id)

    def _receive(self, user_id: str, data: bytes) -> None:
        """Pass on a `PresenceEvent`: users see themselves as they are, and others as these want to be seen."""
        event = fanout.read_presence(data)
        shown, own = packets.presence_changed(event["shown"]), packets.presence_changed(event["own"])
        for connection in self.by_user.get(user_id, ()):
            if connection.user_id == user_id:
                connection.send(own)
            elif event.get("shown_changed", True):
                connection.send(shown)
