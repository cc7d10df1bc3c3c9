"""Serving a gateway: sockets and REST on one port, and a planned stop that drains before it closes anything."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp
from synctalk_runtime import serving
from synctalk_runtime.health import Health

from synctalk_gateway.protocol.engine import Engine
from synctalk_gateway.protocol.upgrade import websocket_class
from synctalk_gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway process, as it is served."""

    app: ASGIApp
    engine: Engine
    health: Health
    drain: Callable[[], Awaitable[None]]
    unix_socket: str | None


class GatewayServer(serving.Server):
    """uvicorn closes every socket at once on SIGTERM; this one drains first. A second signal does not wait."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self._gateway = gateway
        self._draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        path = self._gateway.unix_socket
        if path is not None and not self.should_exit:
            # uvicorn listens on TCP or on a Unix socket; this is the same protocol on the other one.
            loop = asyncio.get_running_loop()
            self.servers.append(await loop.create_unix_server(self._protocol, path, backlog=self.config.backlog))

    def _protocol(self) -> asyncio.Protocol:
        make: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._draining is not None:
            super().handle_exit(sig, frame)
            return
        self._draining = asyncio.get_running_loop().create_task(self._drain(sig, frame))

    async def _drain(self, sig: int, frame: FrameType | None) -> None:
        self._gateway.health.draining = True
        try:
            await self._gateway.drain()
        finally:
            super().handle_exit(sig, frame)


def serve(build: Callable[[Settings], Gateway], settings: Settings) -> None:
    """Serve until a signal stops it."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(build, settings))


async def _serve(build: Callable[[Settings], Gateway], settings: Settings) -> None:
    gateway = build(settings)
    config = serving.config_of(gateway.app, settings, ws=websocket_class(gateway.engine))
    await GatewayServer(config, gateway).serve()
