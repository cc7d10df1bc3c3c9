"""api as a real server on real PostgreSQL, Redis and RabbitMQ; people who call it, and a gateway's ear on Redis."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import aiohttp
import asyncpg
import orjson
import pytest_asyncio
import redis.asyncio
import uvicorn
from aiohttp import web
from fastapi import FastAPI
from synctalk_api.main import build
from synctalk_api.parts import Parts
from synctalk_api.settings import Settings
from synctalk_contracts import topology
from synctalk_contracts.commands import AnyCommand, CommandBatch, CommandRequest, ReplyBatch
from synctalk_contracts.fanout import RoomBatch, RoomEvent, UserEvent
from synctalk_contracts.models import User
from synctalk_runtime.bus import Bus
from synctalk_runtime.ids import new_id
from synctalk_runtime.internal import HEADER
from synctalk_runtime.migrate import migrate
from synctalk_testkit.eventually import eventually
from synctalk_testkit.plugin import Fresh, FreshDatabase
from synctalk_testkit.ports import free_port
from synctalk_testkit.tokens import TokenMaker

SECRET = "the secret between the services"
GATEWAY = "gateway-1"

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str:
        """The error's code; fails when this is no error body."""
        assert isinstance(self.body, dict) and set(self.body) == {"error"}, self
        assert isinstance(self.body["error"]["message"], str)
        code: str = self.body["error"]["code"]
        return code

    @property
    def fields(self) -> set[str]:
        """The fields that an `invalid` names."""
        assert self.code == "invalid", self
        return {detail["field"] for detail in self.body["error"]["details"]}


@dataclass(frozen=True)
class Person:
    """Somebody with a token."""

    url: str
    http: aiohttp.ClientSession
    user: User
    token: str

    @property
    def id(self) -> str:
        return self.user.id

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        headers = {"authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        if body is not None:
            options["json"] = body
        return await call(self.http, method, self.url + path, headers=headers, **options)

    async def get(self, path: str, **options: Any) -> Any:
        return await self._well("GET", path, **options)

    async def post(self, path: str, body: Any = None) -> Any:
        return await self._well("POST", path, body)

    async def put(self, path: str) -> Any:
        return await self._well("PUT", path)

    async def patch(self, path: str, body: Any) -> Any:
        return await self._well("PATCH", path, body)

    async def delete(self, path: str) -> Any:
        return await self._well("DELETE", path)

    async def direct(self, other: "Person") -> Json:
        conversation: Json = await self.post("/v1/conversations", {"type": "direct", "member_ids": [other.id]})
        return conversation

    async def group(self, *others: "Person", title: str = "A group") -> Json:
        body = {"type": "group", "title": title, "member_ids": [other.id for other in others]}
        conversation: Json = await self.post("/v1/conversations", body)
        return conversation

    async def send(self, conversation_id: str, body: str = "hello", **fields: Any) -> Json:
        message: Json = await self.post(
            f"/v1/conversations/{conversation_id}/messages",
            {"client_message_id": secrets.token_hex(8), "body": body, **fields},
        )
        return message

    async def walk(self, path: str, limit: int) -> list[Any]:
        """Every item of a list, page by page."""
        items, cursor = [], None
        while True:
            page = await self.get(path, params={"limit": str(limit)} | ({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items

    async def _well(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        answer = await self.call(method, path, body, **options)
        assert answer.status < 300, f"{method} {path}: {answer}"
        return answer.body


async def call(http: aiohttp.ClientSession, method: str, url: str, **options: Any) -> Answer:
    async with http.request(method, url, **options) as answer:
        text = await answer.text()
        body = orjson.loads(text) if text and "json" in answer.content_type else text
        return Answer(answer.status, body, dict(answer.headers))


@dataclass
class Auth:
    """What answers at AUTH_URL: the key set and the two look-ups of the contract that api makes."""

    tokens: TokenMaker
    url: str = ""
    registered: dict[str, User] = field(default_factory=dict)
    answers: bool = True

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/.well-known/jwks.json", self._jwks)
        app.router.add_get("/internal/revocations", self._revocations)
        app.router.add_post("/internal/users", self._users)
        return app

    async def _jwks(self, _: web.Request) -> web.Response:
        return web.json_response(self.tokens.public_keys())

    async def _revocations(self, _: web.Request) -> web.Response:
        return web.json_response([])

    async def _users(self, request: web.Request) -> web.Response:
        assert request.headers[HEADER] == SECRET
        if not self.answers:
            return web.Response(status=503)
        ids = (await request.json())["ids"]
        found = [self.registered[user_id].model_dump(mode="json") for user_id in ids if user_id in self.registered]
        return web.json_response({"items": found})


class Ear:
    """What a gateway hears on Redis: every message of the channels that it listens on, in order."""

    def __init__(self, pubsub: "redis.asyncio.client.PubSub") -> None:
        self._pubsub = pubsub
        self.heard: list[tuple[str, bytes]] = []

    async def listen(self) -> None:
        async for message in self._pubsub.listen():
            if message["type"] == "message":
                self.heard.append((message["channel"].decode(), message["data"]))

    async def on(self, *channels: str) -> None:
        await self._pubsub.subscribe(*channels)

    def room(self, conversation_id: str) -> list[RoomEvent]:
        channel = topology.conversation_channel(conversation_id)
        batches = [RoomBatch.from_bytes(data) for name, data in self.heard if name == channel]
        return [event for batch in batches for event in batch.events]

    def person(self, user_id: str) -> list[UserEvent]:
        channel = topology.user_channel(user_id)
        return [UserEvent.from_bytes(data) for name, data in self.heard if name == channel]

    def replies(self) -> dict[int, Json]:
        channel = topology.replies_channel(GATEWAY)
        batches = [ReplyBatch.from_bytes(data) for name, data in self.heard if name == channel]
        return {reply.id: reply.model_dump() for batch in batches for reply in batch.replies}


@dataclass
class Api:
    """A running api, its database, and the parts of its neighbours that a test plays."""

    url: str
    http: aiohttp.ClientSession
    parts: Parts
    settings: Settings
    auth: Auth
    bus: Bus
    ear: Ear
    _requests: Iterator[int] = field(default_factory=lambda: iter(range(1, 10_000_000)))

    async def person(self, name: str = "Ada", *, introduced: bool = True, username: str | None = None) -> Person:
        """Registered at auth, and told to api as auth does (or not yet)."""
        user = User(
            id=new_id(),
            username=username or f"{name.lower().split()[0]}-{secrets.token_hex(5)}",
            display_name=name,
            avatar_url=None,
        )
        self.auth.registered[user.id] = user
        if introduced:
            answer = await self.internal("PUT", f"/internal/users/{user.id}", json=user.model_dump())
            assert answer.status == 204, answer
        return Person(self.url, self.http, user, self.auth.tokens.mint(user.id))

    async def people(self, count: int) -> list[Person]:
        return [await self.person(f"Person {n}") for n in range(count)]

    async def internal(self, method: str, path: str, **options: Any) -> Answer:
        return await call(self.http, method, self.url + path, headers={HEADER: SECRET}, **options)

    async def command(self, command: AnyCommand, connection_id: str = "socket-1") -> Json:
        """As a gateway: order it, and the reply."""
        return (await self.commands([command], connection_id))[0]

    async def commands(self, commands: Sequence[AnyCommand], connection_id: str = "socket-1") -> list[Json]:
        """All in one bus message, in the partition of the first."""
        requests = [
            CommandRequest(id=next(self._requests), connection_id=connection_id, command=command)
            for command in commands
        ]
        await self.send_batch(CommandBatch(reply_to=GATEWAY, requests=requests))
        ids = [request.id for request in requests]
        await eventually(lambda: set(ids) <= set(self.ear.replies()), message="no reply")
        return [self.ear.replies()[request_id] for request_id in ids]

    async def send_batch(self, batch: CommandBatch) -> None:
        partition = topology.partition_of(batch.requests[0].command.conversation_id, self.settings.command_partitions)
        await self.bus.send_command(topology.command_queue(partition), batch.to_bytes(), ttl_ms=10_000)

    async def hear(self, conversation_id: str) -> None:
        await self.ear.on(topology.conversation_channel(conversation_id))

    async def sql(self, statement: str, *args: Any) -> list[asyncpg.Record]:
        conn = await asyncpg.connect(self.settings.database_url.get_secret_value())
        try:
            return await conn.fetch(statement, *args)
        finally:
            await conn.close()


Start = Callable[..., AbstractAsyncContextManager[Api]]


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The tests' process keeps its signals."""
        yield


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The application on a free port; its url."""
    port = free_port()
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
async def _auth(tokens: TokenMaker) -> AsyncIterator[Auth]:
    auth = Auth(tokens)
    runner = web.AppRunner(auth.app(), shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    auth.url = f"http://127.0.0.1:{port}"
    yield auth
    await runner.cleanup()


@asynccontextmanager
async def _ear(redis_url: str) -> AsyncIterator[Ear]:
    client = redis.asyncio.from_url(redis_url)
    pubsub = client.pubsub()
    ear = Ear(pubsub)
    await ear.on(topology.replies_channel(GATEWAY))
    listening = asyncio.create_task(ear.listen())
    yield ear
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await pubsub.aclose()  # type: ignore[no-untyped-call]
    await client.aclose()


async def answers(http: aiohttp.ClientSession, url: str, status: int = 200) -> bool:
    return (await call(http, "GET", f"{url}/readyz")).status == status


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def start_api(
    fresh_database: FreshDatabase, fresh_vhost: Fresh, redis_url: str, token_maker: TokenMaker
) -> Start:
    """Starts an api of one's own: `async with start_api(group_members_max=3) as api:`; `beside` shares its parts."""

    @asynccontextmanager
    async def start(beside: Api | None = None, **settings: Any) -> AsyncIterator[Api]:
        database_url = beside.settings.database_url.get_secret_value() if beside else settings.pop("database_url", "")
        database_url = database_url or await fresh_database("api")
        await migrate(database_url, files("synctalk_api") / "migrations")
        async with _auth(token_maker) as auth, _ear(redis_url) as ear:
            given: Json = {
                "instance": "api-1",
                "internal_secret": SECRET,
                "redis_url": redis_url,
                "rabbitmq_url": beside.settings.rabbitmq_url if beside else await fresh_vhost(),
                "database_url": database_url,
                "database_pool_size": 8,
                "auth_url": auth.url,
                "shutdown_timeout_s": 2,
                "message_burst": 10_000,
                "write_burst": 10_000,
                "read_burst": 10_000,
            }
            chosen = Settings.model_validate(given | settings)
            app = build(chosen)
            bus = Bus(chosen.rabbitmq_url, "test")
            async with served(app) as url, aiohttp.ClientSession() as http:
                await bus.start()
                await eventually(lambda: answers(http, url), message="api did not become ready")
                await eventually(lambda: connected(bus), message="the test's bus did not connect")
                yield Api(url, http, app.state.parts, chosen, auth, bus, ear)
                await bus.stop()

    return start


async def connected(bus: Bus) -> bool:
    try:
        await bus.check()
    except ConnectionError:
        return False
    return True


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def api(start_api: Start) -> AsyncIterator[Api]:
    """One api for all tests of a worker; they make people and conversations of their own."""
    async with start_api() as running:
        yield running
