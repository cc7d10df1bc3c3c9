"""auth as a real server on real PostgreSQL, Redis and RabbitMQ, and callers of its interface."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import aiohttp
import asyncpg
import pytest_asyncio
import uvicorn
from aiohttp import web
from fastapi import FastAPI
from synctalk_auth.main import build
from synctalk_auth.parts import Parts
from synctalk_auth.settings import Settings
from synctalk_contracts.models import User
from synctalk_runtime.migrate import migrate
from synctalk_testkit.eventually import eventually
from synctalk_testkit.plugin import Fresh, FreshDatabase
from synctalk_testkit.ports import free_port

SECRET = "the secret between the services"
PASSWORD = "violet-anvil-42"


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> Any:
        """The error's code; fails when this is no error body."""
        assert set(self.body) == {"error"}, self.body
        assert isinstance(self.body["error"]["message"], str)
        return self.body["error"]["code"]


@dataclass
class Caller:
    """Calls one auth process over HTTP."""

    base_url: str
    http: aiohttp.ClientSession

    async def call(self, method: str, path: str, *, token: str | None = None, **options: Any) -> Answer:
        headers = options.pop("headers", {})
        if token is not None:
            headers = {"authorization": f"Bearer {token}", **headers}
        async with self.http.request(method, self.base_url + path, headers=headers, **options) as answer:
            text = await answer.text()
            body = await answer.json() if text and "json" in answer.content_type else text
            return Answer(answer.status, body, dict(answer.headers))

    async def post(self, path: str, body: Any = None, *, token: str | None = None, **options: Any) -> Answer:
        return await self.call("POST", path, token=token, json=body, **options)

    async def get(self, path: str, *, token: str | None = None, **options: Any) -> Answer:
        return await self.call("GET", path, token=token, **options)

    async def register(self, username: str | None = None, **fields: Any) -> dict[str, Any]:
        """Tokens of a new person."""
        body = {"username": username or new_name(), "password": PASSWORD, **fields}
        answer = await self.post("/v1/auth/register", body)
        assert answer.status == 201, answer
        tokens: dict[str, Any] = answer.body
        return tokens

    async def login(self, username: str, password: str = PASSWORD, **fields: Any) -> Answer:
        return await self.post("/v1/auth/login", {"username": username, "password": password, **fields})

    async def refresh(self, refresh_token: str) -> Answer:
        return await self.post("/v1/auth/refresh", {"refresh_token": refresh_token})

    async def internal(self, method: str, path: str, **options: Any) -> Answer:
        return await self.call(method, path, headers={"x-synctalk-internal": SECRET}, **options)


@dataclass
class Neighbour:
    """What answers at API_URL: the two look-ups of the contract that auth makes, and nothing more of api."""

    url: str
    introduced: dict[str, User] = field(default_factory=dict)
    changed: dict[str, User] = field(default_factory=dict)
    hangs: bool = False


@dataclass
class Auth(Caller):
    """A running auth, its database, and what its actions work with."""

    parts: Parts
    database_url: str
    settings: Settings
    neighbour: Neighbour

    async def sql(self, statement: str, *args: Any) -> list[asyncpg.Record]:
        conn = await asyncpg.connect(self.database_url)
        try:
            return await conn.fetch(statement, *args)
        finally:
            await conn.close()


Start = Callable[..., AbstractAsyncContextManager[Auth]]


def new_name() -> str:
    return f"p{secrets.token_hex(6)}"


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The tests' process keeps its signals."""
        yield


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The application on a free port; its url."""
    port = free_port()
    server = _Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, ws="none"))
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started or serving.done())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def _neighbour() -> AsyncIterator[Neighbour]:
    async def put_user(request: web.Request) -> web.Response:
        assert request.headers["x-synctalk-internal"] == SECRET
        if neighbour.hangs:
            await asyncio.sleep(60)
        user = User.model_validate_json(await request.read())
        neighbour.introduced[user.id] = user
        return web.Response(status=204)

    async def get_user(request: web.Request) -> web.Response:
        user = neighbour.changed.get(request.match_info["user_id"])
        if user is None:
            return web.json_response({"error": {"code": "not_found", "message": "No."}}, status=404)
        return web.json_response(user.model_dump(mode="json") | {"later_field": 1})

    app = web.Application()
    app.add_routes([web.put("/internal/users/{user_id}", put_user), web.get("/internal/users/{user_id}", get_user)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    neighbour = Neighbour(f"http://127.0.0.1:{port}")
    yield neighbour
    await runner.cleanup()


async def checks(caller: Caller) -> dict[str, str]:
    """What /readyz says of each part."""
    answer: dict[str, str] = (await caller.get("/readyz")).body["checks"]
    return answer


async def is_ready(caller: Caller) -> bool:
    return (await caller.get("/readyz")).status == 200


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def start_auth(fresh_database: FreshDatabase, fresh_vhost: Fresh, redis_url: str) -> Start:
    """Starts an auth of one's own: `async with start_auth(login_per_address_burst=3) as auth:`."""

    @asynccontextmanager
    async def start(beside: Auth | None = None, *, ready: bool = True, **settings: Any) -> AsyncIterator[Auth]:
        database_url = beside.database_url if beside else await fresh_database("auth")
        await migrate(database_url, files("synctalk_auth") / "migrations")
        async with _neighbour() as neighbour:
            given: dict[str, Any] = {
                "instance": "auth-1",
                "internal_secret": SECRET,
                "redis_url": redis_url,
                "rabbitmq_url": beside.settings.rabbitmq_url if beside else await fresh_vhost(),
                "database_url": database_url,
                "database_pool_size": 5,
                "api_url": neighbour.url,
                "register_per_address_burst": 10_000,
                "register_per_address_per_s": 10_000,
                "login_per_address_burst": 10_000,
                "login_per_address_per_s": 10_000,
                "shutdown_timeout_s": 2,
            }
            chosen = Settings.model_validate(given | settings)
            app = build(chosen)
            async with served(app) as url, aiohttp.ClientSession() as http:
                auth = Auth(url, http, app.state.parts, database_url, chosen, neighbour)
                if ready:
                    await eventually(lambda: is_ready(auth), timeout=20, message="auth did not become ready")
                yield auth

    return start


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def auth(start_auth: Start) -> AsyncIterator[Auth]:
    """One auth for the module; tests make people of their own."""
    async with start_auth() as running:
        yield running
