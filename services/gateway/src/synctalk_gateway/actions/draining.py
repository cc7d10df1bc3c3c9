"""Planned ends: notify sockets, then close them in waves. Stock clients come back elsewhere."""

import asyncio
import random

import structlog
from picows import WSCloseCode
from synctalk_runtime.background import Tasks

from synctalk_gateway.hub import packets
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.registry import Registry
from synctalk_gateway.protocol.engine import Engine
from synctalk_gateway.protocol.engine_socket import EngineSocket

log = structlog.get_logger()

WAVES = 20
REASON = "the server is going away"


async def drain(registry: Registry, engine: Engine, over_s: float) -> None:
    """Return when every socket was closed, after `over_s` seconds at most; at once when there is none."""
    engine.draining = True
    connections = list(registry.connections.values())
    log.info("drain.started", connections=len(connections), over_s=over_s)
    await _close_in_waves(connections, over_s)
    for socket in list(engine.sockets.values()):
        socket.end(WSCloseCode.GOING_AWAY, REASON)
    log.info("drain.done")


class EdgeDrains:
    """Edges that are about to stop: the sockets that came through one are closed in waves, all others stay."""

    def __init__(self, registry: Registry, engine: Engine, over_s: float, tasks: Tasks) -> None:
        self._registry = registry
        self._engine = engine
        self._over_s = over_s
        self._tasks = tasks
        self._leaving: set[str] = set()

    def start(self, edge: str) -> None:
        """Begin with an edge's sockets. Do nothing for an edge that none came through, or the second time."""
        if edge not in self._leaving and any(_came_through(socket, edge) for socket in self._engine.sockets.values()):
            self._leaving.add(edge)
            self._tasks.spawn("edge drain", self._drain(edge))

    async def _drain(self, edge: str) -> None:
        connections = [c for c in self._registry.connections.values() if _came_through(c.socket, edge)]
        log.info("edge_drain.started", connections=len(connections), over_s=self._over_s)
        try:
            await _close_in_waves(connections, self._over_s)
            for socket in [socket for socket in self._engine.sockets.values() if _came_through(socket, edge)]:
                socket.end(WSCloseCode.GOING_AWAY, REASON)
        finally:
            self._leaving.discard(edge)
        log.info("edge_drain.done")


def _came_through(socket: EngineSocket, edge: str) -> bool:
    """Polls come by any edge."""
    return socket.websocket is not None and socket.websocket.edge == edge


async def _close_in_waves(connections: list[Connection], over_s: float) -> None:
    random.shuffle(connections)
    for position, connection in enumerate(connections):
        connection.send(packets.server_draining(round(over_s * 1000 * position / len(connections))))
    size = max(1, -(-len(connections) // WAVES))
    for start in range(0, len(connections), size):
        for connection in connections[start : start + size]:
            connection.close(WSCloseCode.GOING_AWAY, REASON)
        await asyncio.sleep(over_s / WAVES)
