"""Changed names and pictures, collected for a moment: one is published on many channels, and goes to a socket once."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from synctalk_gateway.hub import packets
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.sequencer import Sequencer

COLLECT_S = 0.1


class Recipients(Protocol):
    """A room, as far as it matters here."""

    connections: set[Connection]
    sequencer: Sequencer


@dataclass(slots=True)
class _Change:
    user: dict[str, Any]
    rooms: set[Recipients] = field(default_factory=set)
    informed: set[Connection] = field(default_factory=set)


class Profiles:
    """Sends `user:updated` to the user's sockets and to those of the rooms on whose channels it came."""

    def __init__(self, by_user: Mapping[str, set[Connection]]) -> None:
        self._by_user = by_user
        self._changes: dict[str, _Change] = {}
        self._timer: asyncio.TimerHandle | None = None

    def sockets_of(self, user_id: str) -> Collection[Connection]:
        return self._by_user.get(user_id, ())

    def send_soon(self, user: dict[str, Any], room: Recipients | None = None) -> None:
        """Send it soon; of several for the same user, the latest."""
        known = self._changes.get(user["id"])
        if known is None:
            known = self._changes[user["id"]] = _Change(user)
        elif known.user != user:
            known.user, known.informed = user, set()
        if room is not None:
            known.rooms.add(room)
        self._schedule()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(COLLECT_S, self._send)

    def _send(self) -> None:
        self._timer = None
        changes, self._changes = self._changes, {}
        for user_id, change in changes.items():
            connections = set(self._by_user.get(user_id, ()))
            paused = set()
            for room in change.rooms:
                if room.sequencer.paused:
                    if room.connections:
                        paused.add(room)
                else:
                    connections |= room.connections
            packet = packets.user_updated(change.user)
            for connection in connections - change.informed:
                connection.send(packet)
            if paused:  # until it is known who is still a member
                self._changes[user_id] = _Change(change.user, paused, change.informed | connections)
                self._schedule()
