"""The registry: connections by person and session, rooms by conversation, watchers by person; and what the feed brings.

Losing a connection costs what that connection holds, never a walk over all rooms.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
import structlog
from prometheus_client import Gauge
from synctalk_contracts import topology

from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.feed import Feed
from synctalk_gateway.hub.rooms import Room
from synctalk_gateway.protocol import wire
from synctalk_gateway.settings import Settings

log = structlog.get_logger()

CONNECTIONS = Gauge("gateway_connections", "Authenticated sockets.")
ROOMS = Gauge("gateway_rooms", "Conversations with a socket here.")

OnUserEvent = Callable[[str, dict[str, Any]], Coroutine[Any, Any, None]]
OnReplies = Callable[[bytes], None]
Heal = Callable[[Room], Coroutine[Any, Any, None]]
Recheck = Callable[[Connection], Coroutine[Any, Any, None]]


class Hub:
    """Who is where on this gateway. `feed` must be set before the first connection."""

    feed: Feed
    on_user_event: OnUserEvent
    on_replies: OnReplies
    heal: Heal
    recheck: Recheck

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.connections: dict[str, Connection] = {}
        self.rooms: dict[str, Room] = {}
        self.by_user: dict[str, set[Connection]] = defaultdict(set)
        self.by_session: dict[str, set[Connection]] = defaultdict(set)
        self.watchers: dict[str, set[Connection]] = defaultdict(set)
        self._tasks: set[asyncio.Task[None]] = set()

    # ── connections ──────────────────────────────────────────────────────────────────────────────────────────────

    def add(self, connection: Connection) -> asyncio.Future[None]:
        """Register; done when what is said to this person alone is heard."""
        self.connections[connection.id] = connection
        self.by_user[connection.user_id].add(connection)
        self.by_session[connection.session_id].add(connection)
        CONNECTIONS.set(len(self.connections))
        return self.feed.subscribe(topology.user_channel(connection.user_id))

    def remove(self, connection: Connection) -> None:
        if self.connections.pop(connection.id, None) is None:
            return
        CONNECTIONS.set(len(self.connections))
        if connection.timer is not None:
            connection.timer.cancel()
        for room in self.rooms_of(connection):
            self.leave(room, connection)
        for user_id in list(connection.watching):
            self.unwatch(connection, user_id)
        if _discard(self.by_user, connection.user_id, connection):
            self.feed.unsubscribe(topology.user_channel(connection.user_id))
        _discard(self.by_session, connection.session_id, connection)

    # ── rooms ────────────────────────────────────────────────────────────────────────────────────────────────────

    def join(self, conversation_id: str, connection: Connection) -> asyncio.Future[None]:
        """Put a connection into a room; done when what is said there is heard."""
        room = self.rooms.get(conversation_id)
        if room is None:
            room = Room(conversation_id, self._settings.gap_wait_s, self._start_heal, self._member_gone)
            self.rooms[conversation_id] = room
            ROOMS.set(len(self.rooms))
        room.add(connection)
        return self.feed.subscribe(topology.conversation_channel(conversation_id))

    def is_in(self, connection: Connection, conversation_id: str) -> bool:
        room = self.rooms.get(conversation_id)
        return room is not None and connection in room.connections

    def rooms_of(self, connection: Connection) -> list[Room]:
        return [self.rooms[conversation_id] for conversation_id in connection.rooms]

    def leave(self, room: Room, connection: Connection) -> None:
        room.remove(connection)
        self.close_if_empty(room)

    def close_if_empty(self, room: Room) -> None:
        if not room.connections and self.rooms.get(room.id) is room:
            room.close()
            del self.rooms[room.id]
            ROOMS.set(len(self.rooms))
            self.feed.unsubscribe(topology.conversation_channel(room.id))

    # ── presence ─────────────────────────────────────────────────────────────────────────────────────────────────

    def watch(self, connection: Connection, user_id: str) -> asyncio.Future[None]:
        """Pass this person's presence changes on to the connection; done when they are heard."""
        connection.watching.add(user_id)
        self.watchers[user_id].add(connection)
        return self.feed.subscribe(topology.presence_channel(user_id))

    def unwatch(self, connection: Connection, user_id: str) -> None:
        connection.watching.discard(user_id)
        if _discard(self.watchers, user_id, connection):
            self.feed.unsubscribe(topology.presence_channel(user_id))

    # ── what comes in ────────────────────────────────────────────────────────────────────────────────────────────

    def on_message(self, channel: str, data: bytes) -> None:
        """One message of the feed. What cannot be read is told and dropped; `change_seq` will show the hole."""
        kind, _, name = channel.partition(":")
        try:
            if kind == "conversation":
                self._on_room(name, orjson.loads(data))
            elif kind == "replies":
                self.on_replies(data)
            elif kind == "presence":
                self._on_presence(name, orjson.loads(data))
            elif kind == "user" and name in self.by_user:
                self.spawn(self.on_user_event(name, orjson.loads(data)))
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            log.error("hub.unreadable", channel=kind, error=type(error).__name__)

    def _on_room(self, conversation_id: str, batch: dict[str, Any]) -> None:
        room = self.rooms.get(conversation_id)
        if room is None:
            return
        events = batch["events"]
        if events[0]["event"] == "typing":
            self._on_typing(room, events[0])
            return
        room.accept(events)
        self.close_if_empty(room)

    def _on_typing(self, room: Room, event: dict[str, Any]) -> None:
        if event["payload"]["active"]:
            room.start_typing(event["user_id"], self._settings.typing_ttl_s)
        else:
            room.stop_typing(event["user_id"])

    def _on_presence(self, user_id: str, event: dict[str, Any]) -> None:
        watchers = self.watchers.get(user_id)
        if not watchers:
            return
        shown = wire.event("presence:changed", event["shown"])
        own = wire.event("presence:changed", event["own"])
        for connection in watchers:
            if connection.user_id == user_id:
                connection.send(own)
            elif event.get("shown_changed", True):
                connection.send(shown)

    # ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside the feed; owned here until it ends or the gateway stops."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("hub.task_failed", error=type(error).__name__, exc_info=error)

    def _start_heal(self, room: Room) -> None:
        self.spawn(self.heal(room))

    def _member_gone(self, room: Room, user_id: str, left: list[Connection]) -> None:
        """They may share no conversation any longer: what each may know of the other is asked again."""
        for connection in [*left, *room.connections]:
            if user_id in connection.watching or (connection.user_id == user_id and connection.watching):
                self.spawn(self.recheck(connection))

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _discard(index: dict[str, set[Connection]], key: str, connection: Connection) -> bool:
    """Take out of an index; true when nothing is left under the key."""
    connections = index.get(key)
    if connections is None:
        return False
    connections.discard(connection)
    if connections:
        return False
    del index[key]
    return True
