"""Which sockets get whose presence changes."""

import asyncio
from collections import defaultdict
from functools import partial

from synctalk_contracts import topology
from synctalk_contracts.encoding import fanout

from synctalk_gateway import rules
from synctalk_gateway.hub import packets
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.feed import Channels
from synctalk_gateway.hub.registry import discard


class Watchers:
    """Connections by the user they watch; subscribed to exactly those users' presence channels."""

    def __init__(self, feed: Channels) -> None:
        self.by_user: dict[str, set[Connection]] = defaultdict(set)
        self._feed = feed

    def watch(self, connection: Connection, user_id: str) -> asyncio.Future[None]:
        """Pass this user's presence changes on to the connection; done when their channel is subscribed."""
        connection.watching.add(user_id)
        self.by_user[user_id].add(connection)
        return self._feed.subscribe(self._channel(user_id), partial(self._receive, user_id))

    def follow_own(self, connection: Connection) -> asyncio.Future[None]:
        """Know what the connection's user chooses, whether it watches them or not; done as `watch` is."""
        connection.follows_own = True
        self.by_user[connection.user_id].add(connection)
        return self._feed.subscribe(self._channel(connection.user_id), partial(self._receive, connection.user_id))

    def unwatch(self, connection: Connection, user_id: str) -> None:
        connection.watching.discard(user_id)
        connection.direct.discard(user_id)
        if user_id == connection.user_id and connection.follows_own:
            return
        if discard(self.by_user, user_id, connection):
            self._feed.unsubscribe(self._channel(user_id))

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        followed = {connection.user_id} if connection.follows_own else set()
        connection.follows_own = False
        for user_id in connection.watching | followed:
            self.unwatch(connection, user_id)

    def _channel(self, user_id: str) -> str:
        return topology.presence_channel(user_id, in_cluster=self._feed.in_cluster)

    def _receive(self, user_id: str, data: bytes) -> None:
        """Pass on a `PresenceEvent`: users see themselves as they are, and others as these want to be seen."""
        event = fanout.read_presence(data)
        visible, shown = event.get("last_seen_visible", "everyone"), event["shown"]
        own = packets.presence_changed(event["own"])
        # Who sees the time and who does not get different ones, while there is a time.
        last_seen_at = event.get("last_seen_at") or shown.get("last_seen_at")
        if last_seen_at is None:
            open_ = closed = packets.presence_changed(shown)
        else:
            open_ = packets.presence_changed(shown | {"last_seen_at": last_seen_at})
            closed = packets.presence_changed(shown | {"last_seen_at": None})
        for connection in self.by_user.get(user_id, ()):
            if connection.user_id == user_id:
                connection.last_seen_visible = visible
                if user_id in connection.watching:
                    connection.send(own)
            elif event.get("shown_changed", True):
                is_direct = user_id in connection.direct
                sees = rules.is_open(visible, is_direct) and rules.is_open(connection.last_seen_visible, is_direct)
                connection.send(open_ if sees else closed)
