"""A planned stop: not ready, notify every socket, close them in waves. Stock clients come back elsewhere."""

import asyncio
import random

import structlog
from picows import WSCloseCode

from synctalk_gateway.hub import packets
from synctalk_gateway.hub.registry import Registry
from synctalk_gateway.protocol.engine import Engine

log = structlog.get_logger()

WAVES = 20
REASON = "the server is going away"


async def drain(registry: Registry, engine: Engine, over_s: float) -> None:
    """Return when every socket was closed, after `over_s` seconds at most; at once when there is none."""
    engine.draining = True
    connections = list(registry.connections.values())
    log.info("drain.started", connections=len(connections), over_s=over_s)
    random.shuffle(connections)
    for position, connection in enumerate(connections):
        connection.send(packets.server_draining(round(over_s * 1000 * position / len(connections))))
    size = max(1, -(-len(connections) // WAVES))
    for start in range(0, len(connections), size):
        for connection in connections[start : start + size]:
            connection.close(WSCloseCode.GOING_AWAY, REASON)
        await asyncio.sleep(over_s / WAVES)
    for socket in list(engine.sockets.values()):
        socket.end(WSCloseCode.GOING_AWAY, REASON)
    log.info("drain.done")
