"""Presence as it runs, on real PostgreSQL, Redis and RabbitMQ; its neighbours answer as the contracts say."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from importlib.resources import files
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import uvicorn
from aiohttp import web
from pydantic import SecretStr
from redis.asyncio import Redis
from synctalk_contracts import topology
from synctalk_contracts.fanout import PresenceEvent
from synctalk_presence.main import build
from synctalk_presence.settings import Settings
from synctalk_runtime.ids import new_id
from synctalk_runtime.internal import HEADER
from synctalk_runtime.migrate import migrate
from synctalk_testkit.eventually import eventually
from synctalk_testkit.tokens import TokenMaker

SECRET = "a secret of the tests"

Answer = tuple[int, Any]


class Neighbours:
    """auth's keys and api's contacts: who is in a conversation with whom is set by the test."""

    def __init__(self, keys: dict[str, Any]) -> None:
        self.url = ""
        self._keys = keys
        self._pairs: set[frozenset[str]] = set()
        self._api_answers = True

    def befriend(self, *people: str) -> None:
        self._pairs |= {frozenset({a, b}) for a in people for b in people if a != b}

    def part(self, a: str, b: str) -> None:
        self._pairs.discard(frozenset({a, b}))

    @contextmanager
    def api_away(self) -> Iterator[None]:
        self._api_answers = False
        yield
        self._api_answers = True

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/.well-known/jwks.json", self._jwks)
        app.router.add_get("/internal/revocations", self._revocations)
        app.router.add_post("/internal/contacts", self._contacts)
        return app

    async def _jwks(self, _: web.Request) -> web.Response:
        return web.json_response(self._keys)

    async def _revocations(self, _: web.Request) -> web.Response:
        return web.json_response([])

    async def _contacts(self, request: web.Request) -> web.Response:
        if not self._api_answers:
            return web.Response(status=503)
        assert request.headers[HEADER] == SECRET
        asked = await request.json()
        pairs = ((other, frozenset({asked["user_id"], other})) for other in asked["others"])
        return web.json_response({"ids": [other for other, pair in pairs if pair in self._pairs]})


class Service:
    """A running presence process's doors."""

    def __init__(self, url: str, http: aiohttp.ClientSession, tokens: TokenMaker) -> None:
        self.url = url
        self._http = http
        self._tokens = tokens

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        async with self._http.request(method, self.url + path, **options) as answer:
            body = await answer.read()
            return answer.status, await answer.json() if body else None

    async def as_user(self, user_id: str, method: str, path: str, **options: Any) -> Answer:
        bearer = {"authorization": f"Bearer {self._tokens.mint(user_id)}"}
        return await self.call(method, path, headers=bearer, **options)

    async def put_raw(self, user_id: str, path: str, data: bytes) -> Answer:
        headers = {"authorization": f"Bearer {self._tokens.mint(user_id)}", "content-type": "application/json"}
        return await self.call("PUT", path, data=data, headers=headers)

    async def internal(self, method: str, path: str, body: Any) -> Answer:
        return await self.call(method, f"/internal/presence/{path}", json=body, headers={HEADER: SECRET})

    async def look(self, asker_id: str, *user_ids: str) -> list[dict[str, Any]]:
        status, body = await self.as_user(asker_id, "GET", f"/v1/presence?user_ids={','.join(user_ids)}")
        assert status == 200, body
        items: list[dict[str, Any]] = body["items"]
        return items

    async def status_of(self, asker_id: str, user_id: str) -> str:
        return str((await self.look(asker_id, user_id))[0]["status"])

    async def set_own(self, user_id: str, **wanted: Any) -> None:
        status, body = await self.as_user(user_id, "PUT", "/v1/presence/me", json=wanted)
        assert status == 204, body

    async def report(self, *, held: Sequence[tuple[str, str]] = (), released: Sequence[tuple[str, str]] = ()) -> Answer:
        def leases(pairs: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
            return [{"user_id": user_id, "connection_id": connection_id} for user_id, connection_id in pairs]

        body = {"gateway": "gateway-1", "held": leases(held), "released": leases(released)}
        return await self.internal("POST", "leases", body)

    async def connect(self, user_id: str, connection_id: str | None = None) -> str:
        connection_id = connection_id or f"1-{new_id()}"
        status, body = await self.report(held=[(user_id, connection_id)])
        assert status == 204, body
        return connection_id

    async def disconnect(self, user_id: str, connection_id: str) -> None:
        status, body = await self.report(released=[(user_id, connection_id)])
        assert status == 204, body


class Heard:
    """What the gateways would hear of some people, in order."""

    def __init__(self) -> None:
        self.events: list[PresenceEvent] = []

    def of(self, user_id: str) -> list[PresenceEvent]:
        return [event for event in self.events if event.own.user_id == user_id]

    def statuses(self, user_id: str) -> list[str]:
        """As others see them."""
        return [str(event.shown.status) for event in self.of(user_id) if event.shown_changed]


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


StartPresence = Callable[..., Awaitable[Service]]
Listen = Callable[..., Awaitable[Heard]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database_url(postgres_url: str) -> str:
    await migrate(postgres_url, files("synctalk_presence") / "migrations")
    return postgres_url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def neighbours(token_maker: TokenMaker) -> AsyncIterator[Neighbours]:
    neighbours = Neighbours(token_maker.public_keys())
    runner = web.AppRunner(neighbours.app(), shutdown_timeout=1)
    await runner.setup()
    listener = _listener()
    await web.SockSite(runner, listener).start()
    neighbours.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    yield neighbours
    await runner.cleanup()


@pytest.fixture(scope="module")
def settings(database_url: str, redis_url: str, rabbitmq_url: str, neighbours: Neighbours) -> Settings:
    """Short times: a lease of 3 s, a grace of half a second."""
    return Settings(
        instance="presence-1",
        internal_secret=SecretStr(SECRET),
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        rabbitmq_url=SecretStr(rabbitmq_url),
        auth_url=neighbours.url,
        api_url=neighbours.url,
        lease_s=3.0,
        grace_s=0.5,
        sweep_interval_s=0.05,
        claim_s=1.0,
        scrub_interval_s=0.1,
    )


@pytest_asyncio.fixture
async def start_presence(settings: Settings, token_maker: TokenMaker) -> AsyncIterator[StartPresence]:
    """Starts processes of the service that end with the test."""
    async with AsyncExitStack() as stack:

        async def start(**changes: Any) -> Service:
            return await stack.enter_async_context(running(settings.model_copy(update=changes), token_maker))

        yield start


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def presence(settings: Settings, token_maker: TokenMaker) -> AsyncIterator[Service]:
    """One process for the module: people are new in each test."""
    async with running(settings, token_maker) as service:
        await eventually(lambda: _is_ready(service))
        yield service


async def _is_ready(service: Service) -> bool:
    return (await service.call("GET", "/readyz"))[0] == 200


@asynccontextmanager
async def running(settings: Settings, tokens: TokenMaker) -> AsyncIterator[Service]:
    """The service on a port of its own, until the block's end."""
    listener = _listener()
    config = uvicorn.Config(build(settings), ws="none", lifespan="on", log_config=None, access_log=False)
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await eventually(lambda: server.started)
        async with aiohttp.ClientSession() as http:
            yield Service(f"http://127.0.0.1:{listener.getsockname()[1]}", http, tokens)
    finally:
        server.should_exit = True
        await task
        listener.close()


def _listener() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener


@pytest_asyncio.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest_asyncio.fixture
async def listen(redis: Redis) -> AsyncIterator[Listen]:
    """Subscribes to people's presence, as a gateway does."""
    async with AsyncExitStack() as stack:

        async def start(*user_ids: str) -> Heard:
            heard = Heard()
            subscription = await stack.enter_async_context(redis.pubsub(ignore_subscribe_messages=True))
            await subscription.subscribe(*(topology.presence_channel(user_id) for user_id in user_ids))
            task = asyncio.create_task(_collect(subscription, heard))
            stack.push_async_callback(_cancel, task)
            return heard

        yield start


async def _collect(subscription: Any, heard: Heard) -> None:
    while True:
        message = await subscription.get_message(timeout=None)
        if message is not None:
            heard.events.append(PresenceEvent.from_bytes(message["data"]))


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def ada() -> str:
    return new_id()


@pytest.fixture
def ben() -> str:
    return new_id()
