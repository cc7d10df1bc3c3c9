"""The rooms that `ready` did not name: joined after it, a portion at a time, of all such sockets in turn.

So connecting costs what `ready` names, and a crowd of users with thousands of conversations each costs everybody else
a bounded share: WORKERS portions at once, and a pause after each. The rooms of a portion are joined first and their
state is read second; of a conversation that has changed since `ready` the latest message is sent, and the client is
asked to sync.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Gauge
from synctalk_runtime.background import Backoff, Tasks
from synctalk_runtime.errors import UnavailableError

from synctalk_gateway.actions.resync import close_all
from synctalk_gateway.actions.rooms import RoomMembership
from synctalk_gateway.clients.api import Api
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.registry import Registry

JOINING = Gauge("gateway_sockets_joining", "Sockets whose rooms beyond those of `ready` are being joined.")

PORTION = 250
WORKERS = 2
PAUSE_S = 0.02
MIN_BACKOFF_S, MAX_BACKOFF_S = 0.1, 5.0


@dataclass(slots=True)
class _Joining:
    connection: Connection
    since: datetime | None
    """As of when the client has the state."""
    before: str | None = None
    """The last id of the portion before; None: there was none."""


class LaterJoins:
    """The sockets that are still joining rooms, the one that has waited longest first."""

    def __init__(self, registry: Registry, api: Api, rooms: RoomMembership, tasks: Tasks, joined_max: int) -> None:
        self._registry = registry
        self._api = api
        self._rooms = rooms
        self._tasks = tasks
        self._joined_max = joined_max
        self._waiting: deque[_Joining] = deque()
        self._workers = 0

    def begin(self, connection: Connection, since: datetime | None) -> None:
        """Join whatever the user is in, of which the client has the state as of `since`."""
        connection.joining = True
        JOINING.inc()
        self._waiting.append(_Joining(connection, since))
        self._spawn()

    def _spawn(self) -> None:
        if self._workers < WORKERS and self._waiting:
            self._workers += 1
            self._tasks.spawn("later-joins", self._work())

    async def _work(self) -> None:
        backoff = Backoff(MIN_BACKOFF_S, MAX_BACKOFF_S)
        try:
            while self._waiting:
                await self._serve(self._waiting.popleft(), backoff)
        finally:
            self._workers -= 1
            self._spawn()

    async def _serve(self, joining: _Joining, backoff: Backoff) -> None:
        """Join the next portion of one socket; while something does not answer it is tried again in its turn."""
        try:
            has_more = await self._join_portion(joining)
        except UnavailableError:
            has_more = True
            await asyncio.sleep(backoff.next())
        except BaseException:
            self._end(joining)
            close_all([joining.connection])
            raise
        else:
            backoff.reset()
        if has_more:
            self._waiting.append(joining)
        else:
            self._end(joining)
        await asyncio.sleep(PAUSE_S)

    async def _join_portion(self, joining: _Joining) -> bool:
        """Return whether there may be more to join."""
        connection = joining.connection
        if not self._is_open(connection):
            return False
        ids = await self._api.conversation_ids(connection.user_id, joining.before, PORTION)
        if not self._is_open(connection) or not ids:
            return False
        await self._rooms.join_later(connection, ids, joining.since)
        joining.before = ids[-1]
        if len(ids) < PORTION:
            return False
        connection.partial = connection.partial or len(connection.rooms) >= self._joined_max
        return len(connection.rooms) < self._joined_max

    def _is_open(self, connection: Connection) -> bool:
        return connection.id in self._registry.connections

    def _end(self, joining: _Joining) -> None:
        joining.connection.joining = False
        JOINING.dec()
