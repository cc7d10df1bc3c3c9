"""A planned stop: not ready, tell every socket, let them go in waves. Stock clients come back elsewhere."""

import asyncio
import random

import structlog
from picows import WSCloseCode

from synctalk_gateway.hub.hub import Hub
from synctalk_gateway.protocol import wire
from synctalk_gateway.protocol.engine import Engine

log = structlog.get_logger()

WAVES = 20


async def drain(hub: Hub, engine: Engine, over_s: float) -> None:
    """Returns when every socket was let go, after `over_s` seconds at most; at once when there is none."""
    engine.draining = True
    connections = list(hub.connections.values())
    log.info("drain.started", connections=len(connections), over_s=over_s)
    random.shuffle(connections)
    for place, connection in enumerate(connections):
        wait_ms = round(over_s * 1000 * place / len(connections))
        connection.send(wire.event("server:draining", {"reconnect_in_ms": wait_ms}))
    size = max(1, -(-len(connections) // WAVES))
    for start in range(0, len(connections), size):
        for connection in connections[start : start + size]:
            connection.socket.end(WSCloseCode.GOING_AWAY, "the server is going away")
        await asyncio.sleep(over_s / WAVES)
    for socket in list(engine.sockets.values()):
        socket.end(WSCloseCode.GOING_AWAY, "the server is going away")
    log.info("drain.done")
