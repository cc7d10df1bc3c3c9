"""The gateway's wiring on one page: what it is made of, how it comes up, and in which order things stop."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import socketio
import uvicorn
import uvloop
from fastapi import FastAPI
from synctalk_contracts import topology
from synctalk_contracts.fanout import Heartbeat
from synctalk_runtime.app import create_app
from synctalk_runtime.bus import Bus
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.health import Health
from synctalk_runtime.internal import InternalClient
from synctalk_runtime.limits import Limiter
from synctalk_runtime.redis_line import RedisLine
from synctalk_runtime.revocations import Revocations
from synctalk_runtime.serving import Server
from synctalk_runtime.tokens import KeySet, TokenVerifier

from synctalk_gateway import sockets
from synctalk_gateway.actions import connect, follow, presence, resync, sessions
from synctalk_gateway.actions.drain import drain
from synctalk_gateway.clients.api import Api
from synctalk_gateway.clients.commands import Commands
from synctalk_gateway.clients.presence import Leases, PresenceClient
from synctalk_gateway.hub.feed import Feed
from synctalk_gateway.hub.hub import Hub
from synctalk_gateway.parts import Gate, Limits, Parts
from synctalk_gateway.protocol.engine import Engine
from synctalk_gateway.protocol.server import Server as SocketServer
from synctalk_gateway.protocol.websocket import websocket_class
from synctalk_gateway.settings import Settings
from synctalk_gateway.store.buckets import Buckets


class Gateway:
    """One gateway process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = f"{settings.instance}-{secrets.token_hex(4)}"
        """New at every start: answers to a process that is gone reach nobody."""
        self.health = Health()
        self.hub = Hub(settings)
        self.line = RedisLine(settings.redis_url)
        self.bus = Bus(settings.rabbitmq_url, settings.instance)
        self._neighbours = {
            name: InternalClient(url, settings.internal_secret, settings.call_timeout_s)
            for name, url in (
                ("auth", settings.auth_url),
                ("api", settings.api_url),
                ("presence", settings.presence_url),
            )
        }
        self.parts = self._build_parts()
        self._connect_hub()
        self.server = SocketServer(
            settings,
            partial(connect.connect, self.parts),
            partial(sockets.on_event, self.parts),
            partial(connect.disconnected, self.parts),
        )
        self.engine: Engine = self.server.eio
        self.http = create_app(settings, [], self.health, self._lifespan)
        self.app = socketio.ASGIApp(self.server, other_asgi_app=self.http)

    def _build_parts(self) -> Parts:
        settings, neighbours = self.settings, self._neighbours
        revocations = Revocations(partial(sessions.revoke, self.hub))
        self.keys = KeySet(f"{settings.auth_url}/.well-known/jwks.json", settings.call_timeout_s)
        presence_client = PresenceClient(neighbours["presence"])
        return Parts(
            settings=settings,
            hub=self.hub,
            tokens=TokenVerifier(self.keys, revocations, settings.token_issuer, settings.token_audience),
            revocations=revocations,
            api=Api(neighbours["api"]),
            presence=presence_client,
            leases=Leases(presence_client, self.hub, self.name, settings.lease_renewal_s),
            commands=Commands(settings, self.bus, self.name),
            buckets=Buckets(Limiter(self.line)),
            line=self.line,
            gate=Gate(asyncio.Semaphore(settings.concurrent_connects)),
            limits=Limits.of(settings),
        )

    def _connect_hub(self) -> None:
        hub, parts = self.hub, self.parts
        hub.feed = Feed(
            self.settings.redis_url,
            topology.heartbeat_channel(self.name),
            hub.on_message,
            partial(resync.resync_all, parts),
            self._beat,
        )
        hub.on_user_event = partial(follow.follow, parts)
        hub.on_replies = parts.commands.on_replies
        hub.heal = partial(resync.resync_room, parts)
        hub.recheck = partial(presence.recheck, parts)
        hub.feed.subscribe(topology.replies_channel(self.name))
        self.health.add("redis", hub.feed.check)
        self.health.add("rabbitmq", self.bus.check)
        self.health.add("keys", self.keys.check)

    async def _beat(self) -> None:
        with suppress(UnavailableError):  # the missing beat itself is the news
            await self.line.call("PUBLISH", topology.heartbeat_channel(self.name), Heartbeat(n=0).to_bytes())

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        parts = self.parts
        parts.revocations.follow(self.bus, self._neighbours["auth"])
        await self.bus.start()
        parts.hub.feed.start(self.settings.heartbeat_s, self.settings.heartbeat_timeout_s)
        parts.leases.start()
        try:
            yield
        finally:
            await parts.leases.stop()
            await parts.hub.stop()
            await parts.hub.feed.stop()
            await self.bus.stop()
            for neighbour in self._neighbours.values():
                await neighbour.close()
            await self.line.close()

    async def drain(self) -> None:
        self.health.draining = True
        await drain(self.hub, self.engine, self.settings.drain_s)


class GatewayServer(Server):
    """uvicorn closes every socket at once on SIGTERM; this one drains first. A second signal does not wait."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self._gateway = gateway
        self._draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        path = self._gateway.settings.http_unix_socket
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

    def handle_exit(self, sig: int, frame: Any) -> None:
        if self._draining is not None:
            super().handle_exit(sig, frame)
            return
        self._draining = asyncio.get_running_loop().create_task(self._drain(sig, frame))

    async def _drain(self, sig: int, frame: Any) -> None:
        try:
            await self._gateway.drain()
        finally:
            super().handle_exit(sig, frame)


def serve(settings: Settings) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    gateway = Gateway(settings)
    config = uvicorn.Config(
        gateway.app,
        host=settings.http_host,
        port=settings.http_port,
        http="httptools",
        ws=websocket_class(gateway.engine),
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=settings.shutdown_timeout_s,
    )
    await GatewayServer(config, gateway).serve()
