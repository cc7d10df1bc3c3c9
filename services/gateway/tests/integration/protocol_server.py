"""The protocol's server by itself, as a process: the gateway's own engine, websockets and settings, handlers of a line.

`python protocol_server.py '{"max_event_queue": 10}'` prints its port, and a line on stdin asks how it fares.
"""

import asyncio
import json
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import socketio
import structlog
import uvicorn
import uvloop
from synctalk_gateway.errors import RefusedError
from synctalk_gateway.protocol.engine_socket import EngineSocket
from synctalk_gateway.protocol.server import Accepted, Server
from synctalk_gateway.protocol.upgrade import websocket_class
from synctalk_gateway.protocol.wire import Encoded
from synctalk_gateway.settings import Settings
from synctalk_runtime.errors import UnauthenticatedError, UnknownEventError

NOWHERE = {"internal_secret": "x" * 16, "redis_url": "redis://127.0.0.1:1", "rabbitmq_url": "amqp://127.0.0.1:1"}
BEAT_S = 0.005


@dataclass
class Client:
    socket: EngineSocket


class ProtocolServer:
    def __init__(self, settings: Settings) -> None:
        self.handled = 0
        self.worst_lag_s = 0.0
        self.server = Server(settings, self._on_connect, self._on_event, lambda _: None)

    async def _on_connect(self, socket: EngineSocket, auth: Any) -> Accepted:
        if auth == {"token": "bad"}:
            raise RefusedError(UnauthenticatedError())
        socket.identify((auth or {}).get("user", socket.sid))
        return Accepted(Client(socket), "connection", lambda: None)

    async def _on_event(self, client: Client, name: str, payload: Any) -> dict[str, Any]:
        self.handled += 1
        if name == "slow":
            await asyncio.sleep(0.002)
        elif name == "hang":
            await asyncio.Event().wait()
        elif name == "cancelled":
            raise asyncio.CancelledError
        elif name == "broken":
            raise RuntimeError
        elif name == "large":
            client.socket.write(Encoded(b'2["large","' + b"x" * payload["bytes"] + b'"]'))
        elif name != "quick":
            raise UnknownEventError
        return {"ok": True}

    async def watch_lag(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(BEAT_S)
            self.worst_lag_s = max(self.worst_lag_s, time.monotonic() - before - BEAT_S)

    def report(self) -> dict[str, Any]:
        lag, self.worst_lag_s = self.worst_lag_s, 0.0
        return {
            "lag_s": lag,
            "rss": int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize(),
            "sockets": len(self.server.engine.sockets),
            "handled": self.handled,
        }


async def _serve(settings: Settings) -> None:
    made = ProtocolServer(settings)
    config = uvicorn.Config(
        socketio.ASGIApp(made.server),
        host="127.0.0.1",
        port=0,
        http="httptools",
        ws=websocket_class(made.server.engine),
        log_config=None,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    _say(server.servers[0].sockets[0].getsockname()[1])
    watching = asyncio.create_task(made.watch_lag())
    while await asyncio.to_thread(sys.stdin.readline):
        _say(made.report())
    watching.cancel()
    server.force_exit = True
    await server.shutdown()


def _say(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    uvloop.run(_serve(Settings.model_validate(NOWHERE | json.loads(sys.argv[1]))))
