"""A real nginx with the template of `deploy/edge`, in front of small servers that answer with what reached them."""

import asyncio
import shlex
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from synctalk_backing.programs import nginx_program
from synctalk_local.ports import ports_for
from synctalk_local.processes.edge import addresses_of_gateways, edge_spec, uploads_folder
from synctalk_local.stack import CHECKOUT
from synctalk_testkit.eventually import eventually
from synctalk_testkit.local import running

from synctalk_systemtest.ports import free_edge_port

SERVICES = ("auth", "api", "presence", "notifier", "fcm", "gateway-1", "gateway-2")


@dataclass
class Upstream:
    """One small server; answers with its name and with the headers that it got."""

    name: str
    address: str
    """`127.0.0.1:port`, or `unix:path`, as nginx writes them."""
    posts: int = 0
    status: int = 200
    answer_headers: dict[str, str] = field(default_factory=dict)
    seen: list[dict[str, Any]] = field(default_factory=list)
    """The latest requests: method, path with the query, headers."""
    clients: Counter[str] = field(default_factory=Counter)
    """Requests by the address that the edge named."""
    _runner: web.AppRunner | None = field(default=None)

    async def start(self) -> None:
        app = web.Application(client_max_size=2**20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, keepalive_timeout=75, shutdown_timeout=0.1)
        await self._runner.setup()
        kind, place = self.address.split(":")
        if kind == "unix":
            Path(place).parent.mkdir(exist_ok=True)
            await web.UnixSite(self._runner, place).start()
        else:
            await web.TCPSite(self._runner, kind, int(place)).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.seen = [*self.seen[-9:], _as_seen(request)]
        self.clients[request.headers.get("X-Forwarded-For", "")] += 1
        if request.method == "POST":
            self.posts += 1
        if request.headers.get("Upgrade") == "websocket":
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            async for message in socket:
                await socket.send_str(f"{self.name}: {message.data}")
            return socket
        if request.path.endswith("/slam"):
            assert request.transport is not None
            request.transport.abort()
        padding = "x" * int(request.query.get("padding", 0))
        body = {"name": self.name, "path": request.path, "headers": dict(request.headers), "padding": padding}
        return web.json_response(body, status=self.status, headers=self.answer_headers)


def _as_seen(request: web.Request) -> dict[str, Any]:
    return {"method": request.method, "path": request.path_qs, "headers": dict(request.headers)}


@dataclass(frozen=True)
class Edge:
    url: str
    port: int
    uploads: Path
    """Where it writes what is uploaded."""
    upstreams: dict[str, Upstream]
    http: aiohttp.ClientSession

    @asynccontextmanager
    async def client_at(self, address: str) -> AsyncIterator[aiohttp.ClientSession]:
        """A client with another loopback address than the others."""
        connector = aiohttp.TCPConnector(local_addr=(address, 0), limit=0)
        async with aiohttp.ClientSession(self.url, connector=connector) as http:
            yield http


@asynccontextmanager
async def running_edge(folder: Path, web_root: Path, given: Mapping[str, str] | None = None) -> AsyncIterator[Edge]:
    """`given` are variables of the template that differ from those of `make up`."""
    ports = ports_for(free_edge_port())
    directory = folder / "edge"
    services = (f"127.0.0.1:{port}" for port in (ports.auth, ports.apis[0], ports.presence, ports.notifier, ports.fcm))
    upstreams = {
        name: Upstream(name, address)
        for name, address in zip(SERVICES, (*services, *addresses_of_gateways(directory, ports)), strict=True)
    }
    template = (CHECKOUT / "deploy/edge/nginx.conf.template").read_text()
    spec = edge_spec(directory, ports, template, nginx_program(), web_root, given or {})
    async with AsyncExitStack() as stack:
        for upstream in upstreams.values():
            await upstream.start()
            stack.push_async_callback(upstream.stop)
        stack.enter_context(running(spec, spec.directory))
        await eventually(lambda: asyncio.to_thread(spec.is_ready), message="nginx did not start")
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Edge(f"http://127.0.0.1:{ports.edge}", ports.edge, uploads_folder(folder), upstreams, http)


def write_web_root(folder: Path) -> Path:
    """Write what a built web client looks like to the edge."""
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>client</title>")
    (folder / "sw.js").write_text("self.skipWaiting();")
    (folder / "manifest.webmanifest").write_text("{}")
    (folder / "embed.html").write_text("<!doctype html><title>client in a page</title>")
    (folder / "embed.js").write_text("(function () {})()")
    (folder / "assets" / "app-abc123.js").write_text("export const x = 1;\n" * 200)
    return folder


def image_defaults() -> dict[str, str]:
    """The variables that the edge's Dockerfile sets: among them the limits of production."""
    _, _, after = (CHECKOUT / "deploy/edge/Dockerfile").read_text().replace("\\\n", " ").rpartition("\nENV ")
    return dict(pair.split("=", 1) for pair in shlex.split(after.partition("\n")[0]))


def production_limits() -> dict[str, str]:
    """The limits of production as settings of a stack."""
    return {
        f"SYNCTALK_{name}": value
        for name, value in image_defaults().items()
        if name.endswith(("_PER_S", "_BURST", "_PER_ADDRESS"))
    }
