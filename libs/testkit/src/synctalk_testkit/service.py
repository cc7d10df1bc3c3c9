"""A service in the tests' own process, its caller, and a stand-in of auth.

async with serve(build(settings)) as url, service_client(url) as service:
    user = UserClient(service, token_maker)
    await user.get("/v1/devices")
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import uvicorn
from aiohttp import web
from fastapi import FastAPI
from synctalk_contracts.internal import KnownKey
from synctalk_contracts.models import Scope, ServerUser, User
from synctalk_runtime.bus import Bus
from synctalk_runtime.credentials import hash_of
from synctalk_runtime.ids import new_id
from synctalk_runtime.internal import HEADER

from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import Response, request
from synctalk_testkit.ports import free_port
from synctalk_testkit.tokens import TokenMaker

SECRET = "the secret between the services"


@dataclass
class ServiceClient:
    """Calls one process of a service, past the edge."""

    url: str
    http: aiohttp.ClientSession

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **options: Any
    ) -> Response:
        """Call without asserting anything: refusals are responses too. A `body` is sent as JSON."""
        headers = {"authorization": f"Bearer {token}"} if token is not None else {}
        if body is not None:
            options["json"] = body
        return await request(
            self.http, method, self.url + path, headers=headers | options.pop("headers", {}), **options
        )

    async def internal(self, method: str, path: str, body: Any = None, **options: Any) -> Response:
        """Call as another service does."""
        return await self.call(method, path, body, headers={HEADER: SECRET}, **options)

    async def is_ready(self) -> bool:
        """Return whether it is ready, with none of its dependencies missing."""
        response = await self.call("GET", "/readyz")
        return response.status == 200 and not response.body["degraded"]


@dataclass(frozen=True)
class UserClient:
    """Calls a service as one user in one session."""

    service: ServiceClient
    tokens: TokenMaker
    id: str = field(default_factory=new_id)
    session_id: str = field(default_factory=new_id)

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Response:
        token = self.tokens.mint(self.id, self.session_id)
        return await self.service.call(method, path, body, token=token, **options)

    async def get(self, path: str, **options: Any) -> Any:
        return await self._succeed("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return await self._succeed("POST", path, body, **options)

    async def put(self, path: str, body: Any = None, **options: Any) -> Any:
        return await self._succeed("PUT", path, body, **options)

    async def patch(self, path: str, body: Any, **options: Any) -> Any:
        return await self._succeed("PATCH", path, body, **options)

    async def delete(self, path: str, **options: Any) -> Any:
        return await self._succeed("DELETE", path, **options)

    async def _succeed(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Call, and return the body of a response that must be a success."""
        response = await self.call(method, path, body, **options)
        assert response.status < 300, f"{method} {path}: {response}"
        return response.body


@dataclass
class AuthStub:
    """A stand-in of auth: the key set, revocations (none) and the users that are `registered`."""

    tokens: TokenMaker
    registered: dict[str, User] = field(default_factory=dict)
    known: dict[str, ServerUser] = field(default_factory=dict)
    """What its directory knows, by id."""
    keys: dict[str, KnownKey] = field(default_factory=dict)
    """Server keys, by hash."""
    is_available: bool = True
    """Whether it looks up users; keys and revocations are served in any case."""
    url: str = ""

    def server_key(self, *scopes: Scope) -> str:
        """Make a server key."""
        key = f"stk_{new_id()}"
        self.keys[hash_of(key)] = KnownKey(id=new_id(), scopes=list(scopes), expires_at=None)
        return key

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/.well-known/jwks.json", self._jwks)
        app.router.add_get("/internal/revocations/changes", self._revocations)
        app.router.add_post("/internal/users", self._users)
        app.router.add_post("/internal/directory", self._directory)
        app.router.add_post("/internal/credentials/key", self._key)
        return app

    async def _jwks(self, _: web.Request) -> web.Response:
        return web.json_response(self.tokens.public_keys())

    async def _revocations(self, _: web.Request) -> web.Response:
        return web.json_response({"items": [], "cursor": "c"})

    async def _users(self, request: web.Request) -> web.Response:
        assert request.headers[HEADER] == SECRET
        if not self.is_available:
            return web.Response(status=503)
        ids = (await request.json())["ids"]
        found = [self.registered[user_id].model_dump(mode="json") for user_id in ids if user_id in self.registered]
        return web.json_response({"items": found})

    async def _directory(self, request: web.Request) -> web.Response:
        assert request.headers[HEADER] == SECRET
        if not self.is_available:
            return web.Response(status=503)
        asked = await request.json()
        found = [
            user.model_dump(mode="json")
            for user in self.known.values()
            if user.id in asked["ids"] or user.external_id in asked["external_ids"]
        ]
        return web.json_response({"items": found})

    async def _key(self, request: web.Request) -> web.Response:
        assert request.headers[HEADER] == SECRET
        known = self.keys.get((await request.json())["hash"])
        if known is None:
            return web.Response(status=404)
        return web.json_response(known.model_dump(mode="json"))


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the tests' process."""
        yield


@asynccontextmanager
async def serve(app: FastAPI) -> AsyncIterator[str]:
    """Serve the application on a free port, with its lifespan; its URL."""
    port = free_port()
    # Idle connections are kept longer than any client keeps them: a request never meets a connection just closed.
    server = _Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, ws="none", timeout_keep_alive=75)
    )
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started or serving.done())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def serve_stub(app: web.Application) -> AsyncIterator[str]:
    """Serve what stands in for an upstream; its URL."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serve_auth(tokens: TokenMaker) -> AsyncIterator[AuthStub]:
    auth = AuthStub(tokens)
    async with serve_stub(auth.app()) as auth.url:
        yield auth


@asynccontextmanager
async def service_client(url: str) -> AsyncIterator[ServiceClient]:
    async with aiohttp.ClientSession() as http:
        yield ServiceClient(url, http)


async def is_connected(bus: Bus) -> bool:
    """Return whether the test's own connection to RabbitMQ works."""
    try:
        await bus.check()
    except ConnectionError:
        return False
    return True
