"""api as a real server on real PostgreSQL, Redis and RabbitMQ, its users, and what a gateway receives on Redis."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
import redis.asyncio
from synctalk_api.main import build
from synctalk_api.routes.dependencies import Services
from synctalk_api.settings import Settings
from synctalk_contracts import models, topology
from synctalk_contracts.commands import AnyCommand, CommandBatch, CommandRequest, ReplyBatch
from synctalk_contracts.fanout import ProfileEvent, RoomBatch, RoomEvent, UserEvent
from synctalk_runtime.bus import Bus
from synctalk_runtime.ids import new_id
from synctalk_runtime.migrate import migrate
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import Response
from synctalk_testkit.plugin import Fresh, FreshDatabase
from synctalk_testkit.service import (
    SECRET,
    AuthStub,
    ServiceClient,
    UserClient,
    is_connected,
    serve,
    serve_auth,
    service_client,
)
from synctalk_testkit.tokens import TokenMaker

GATEWAY = "gateway-1"
REQUEST_IDS = count(1_000)
"""Of every api of a worker: they reply on the same channel of one Redis."""

Json = dict[str, Any]


@dataclass(frozen=True)
class User(UserClient):
    """Calls api as one user; `profile` is the user as registered."""

    profile: models.User = field(kw_only=True)

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Response:
        """Call with a token like auth's: a guest's says so."""
        claims: Json = {"guest": True} if self.profile.is_guest else {}
        token = self.tokens.mint(self.id, self.session_id, **claims)
        return await self.service.call(method, path, body, token=token, **options)

    async def direct(self, other: "User") -> Json:
        conversation: Json = await self.post("/v1/conversations", {"type": "direct", "member_ids": [other.id]})
        return conversation

    async def group(self, *others: "User", title: str = "A group") -> Json:
        body = {"type": "group", "title": title, "member_ids": [other.id for other in others]}
        conversation: Json = await self.post("/v1/conversations", body)
        return conversation

    async def send(self, conversation_id: str, body: str = "hello", **fields: Any) -> Json:
        message: Json = await self.post(
            f"/v1/conversations/{conversation_id}/messages",
            {"client_message_id": secrets.token_hex(8), "body": body, **fields},
        )
        return message

    async def list(self, path: str, limit: int) -> list[Any]:
        """Return every item of a list, page by page."""
        items, cursor = [], None
        while True:
            page = await self.get(path, params={"limit": str(limit)} | ({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items


class Subscriber:
    """Receives what a gateway does: every message of the channels that it subscribes to, in sequence."""

    def __init__(self, pubsub: "redis.asyncio.client.PubSub") -> None:
        self._pubsub = pubsub
        self.received: list[tuple[str, bytes]] = []
        self._subscribed: set[str] = set()

    async def listen(self) -> None:
        async for message in self._pubsub.listen():
            if message["type"] == "subscribe":
                self._subscribed.add(message["channel"].decode())
            elif message["type"] == "message":
                self.received.append((message["channel"].decode(), message["data"]))

    async def subscribe(self, *channels: str) -> None:
        """Return once nothing that is published can be missed."""
        await self._pubsub.subscribe(*channels)
        await eventually(lambda: set(channels) <= self._subscribed, message="Redis did not confirm a subscription")

    def room_events(self, conversation_id: str) -> list[RoomEvent]:
        """Return the events of a conversation.

        What was published twice, because Redis was slow to answer, counts once: a gateway drops it by its number.
        """
        channel = topology.conversation_channel(conversation_id)
        published = dict.fromkeys(data for name, data in self.received if name == channel)
        batches = [RoomBatch.from_bytes(data) for data in published]
        return [event for batch in batches for event in batch.events]

    def user_events(self, user_id: str) -> list[UserEvent]:
        channel = topology.user_channel(user_id)
        return [UserEvent.from_bytes(data) for name, data in self.received if name == channel]

    def profile_events(self, channel: str) -> list[ProfileEvent]:
        of_channel = [data for name, data in self.received if name == channel]
        return [ProfileEvent.from_bytes(data) for data in of_channel if b"user:updated" in data]

    def replies(self) -> dict[int, Json]:
        channel = topology.replies_channel(GATEWAY)
        batches = [ReplyBatch.from_bytes(data) for name, data in self.received if name == channel]
        return {reply.id: reply.model_dump() for batch in batches for reply in batch.replies}


@dataclass
class Api:
    """A running api, with its database and the upstreams that a test plays."""

    service: ServiceClient
    services: Services
    settings: Settings
    auth: AuthStub
    bus: Bus
    redis: Subscriber

    async def user(
        self, name: str = "Ada", *, introduced: bool = True, username: str | None = None, is_guest: bool = False
    ) -> User:
        """Register a user at auth, and introduce them to api as auth does (or not yet)."""
        profile = models.User(
            id=new_id(),
            username=username or f"{name.lower().split()[0]}-{secrets.token_hex(5)}",
            display_name=name,
            avatar_url=None,
            is_guest=is_guest,
        )
        self.auth.registered[profile.id] = profile
        if introduced:
            response = await self.internal("PUT", f"/internal/users/{profile.id}", profile.model_dump())
            assert response.status == 204, response
        return User(self.service, self.auth.tokens, profile.id, profile=profile)

    async def users(self, count: int) -> list[User]:
        return [await self.user(f"User {n}") for n in range(count)]

    async def internal(self, method: str, path: str, body: Any = None, **options: Any) -> Response:
        return await self.service.internal(method, path, body, **options)

    async def command(self, command: AnyCommand, connection_id: str = "socket-1") -> Json:
        """Submit a command as a gateway does, and return the reply."""
        return (await self.commands([command], connection_id))[0]

    async def commands(
        self, commands: Sequence[AnyCommand], connection_id: str = "socket-1", deadline: datetime | None = None
    ) -> list[Json]:
        """Submit commands in one bus message, and return the replies."""
        requests = [
            CommandRequest(id=next(REQUEST_IDS), connection_id=connection_id, command=command) for command in commands
        ]
        await self.send_batch(CommandBatch(reply_to=GATEWAY, requests=requests, deadline=deadline))
        ids = [request.id for request in requests]
        await eventually(lambda: set(ids) <= set(self.redis.replies()), message="no reply")
        return [self.redis.replies()[request_id] for request_id in ids]

    async def send_batch(self, batch: CommandBatch) -> None:
        await self.send_raw(batch.to_bytes())

    async def send_raw(self, body: bytes) -> None:
        """Send to this process, whichever owns the partition."""
        self.bus.send_command(topology.command_queue(self.services.partitions.owner), body, ttl_ms=10_000)

    async def subscribe(self, conversation_id: str) -> None:
        await self.redis.subscribe(topology.conversation_channel(conversation_id))

    async def sql(self, statement: str, *args: Any) -> list[asyncpg.Record]:
        conn = await asyncpg.connect(self.settings.database_url.get_secret_value())
        try:
            return await conn.fetch(statement, *args)
        finally:
            await conn.close()


Start = Callable[..., AbstractAsyncContextManager[Api]]


@asynccontextmanager
async def subscriber(redis_url: str) -> AsyncIterator[Subscriber]:
    client = redis.asyncio.from_url(redis_url)
    pubsub = client.pubsub()
    receiving = Subscriber(pubsub)
    await pubsub.subscribe(topology.replies_channel(GATEWAY))
    listening = asyncio.create_task(receiving.listen())
    await receiving.subscribe(topology.replies_channel(GATEWAY))
    try:
        yield receiving
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await pubsub.aclose()  # type: ignore[no-untyped-call]
        await client.aclose()


@pytest.fixture(scope="session")
def files_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def start_api(
    fresh_database: FreshDatabase, fresh_vhost: Fresh, redis_url: str, token_maker: TokenMaker, files_folder: Path
) -> Start:
    """Start a separate api: `async with start_api(group_members_max=3) as api:`; `beside` shares its backends.

    `migrated`: the databases' own addresses, where the settings have those of a pooler.
    """

    @asynccontextmanager
    async def start(beside: Api | None = None, migrated: Sequence[str] = (), **settings: Any) -> AsyncIterator[Api]:
        database_url = beside.settings.database_url.get_secret_value() if beside else settings.pop("database_url", "")
        database_url = database_url or await fresh_database("api")
        async with serve_auth(token_maker) as auth, subscriber(redis_url) as received:
            given: Json = {
                "instance": "api-1",
                "internal_secret": SECRET,
                "redis_url": redis_url,
                "rabbitmq_url": beside.settings.rabbitmq_url if beside else await fresh_vhost(),
                "database_url": database_url,
                "database_pool_size": 8,
                "auth_url": auth.url,
                "files_url": files_folder.as_uri(),
                "shutdown_timeout_s": 2,
                "message_burst": 10_000,
                "write_burst": 10_000,
                "write_wait_max_s": 30,
                "named_burst": 10_000,
                "profile_burst": 10_000,
                "profile_delay_s": 0.2,
                "read_burst": 10_000,
                "search_burst": 10_000,
            }
            chosen = Settings.model_validate(given | settings)
            for address in migrated or [each.get_secret_value() for each in chosen.database_urls]:
                await migrate(address, files("synctalk_api") / "migrations")
            app = build(chosen)
            bus = Bus(chosen.rabbitmq_url, "test")
            async with serve(app) as url, service_client(url) as service:
                await bus.start()
                await eventually(service.is_ready, message="api did not become ready")
                await eventually(lambda: is_connected(bus), message="the test's bus did not connect")
                yield Api(service, app.state.services, chosen, auth, bus, received)
                await bus.stop()

    return start


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(start_api: Start) -> AsyncIterator[Api]:
    """Return the api of a module's tests; each makes users and conversations of its own.

    Not the session's: between modules the loop may stand still for longer than RabbitMQ waits for a heartbeat.
    """
    async with start_api() as running:
        yield running
