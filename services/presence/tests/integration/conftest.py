"""presence on real PostgreSQL, Redis and RabbitMQ; auth and api answer as the contracts say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr
from redis.asyncio import Redis
from synctalk_contracts import topology
from synctalk_contracts.fanout import PresenceEvent
from synctalk_presence.main import build
from synctalk_presence.settings import Settings
from synctalk_runtime.ids import new_id
from synctalk_runtime.migrate import migrate
from synctalk_testkit.eventually import eventually
from synctalk_testkit.service import SECRET, serve, serve_auth, serve_stub
from synctalk_testkit.tokens import TokenMaker

from services.presence.tests.harness import ApiStub, Listen, ReceivedEvents, Service, StartPresence


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database_url(postgres_url: str) -> str:
    await migrate(postgres_url, files("synctalk_presence") / "migrations")
    return postgres_url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def auth_url(token_maker: TokenMaker) -> AsyncIterator[str]:
    async with serve_auth(token_maker) as auth:
        yield auth.url


@pytest.fixture(scope="module")
def api() -> ApiStub:
    return ApiStub()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api_url(api: ApiStub) -> AsyncIterator[str]:
    async with serve_stub(api.app()) as url:
        yield url


@pytest.fixture(scope="module")
def settings(database_url: str, redis_url: str, rabbitmq_url: str, auth_url: str, api_url: str) -> Settings:
    """Short times: a lease of 3 s, a grace of half a second."""
    return Settings(
        instance="presence-1",
        internal_secret=SecretStr(SECRET),
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        rabbitmq_url=SecretStr(rabbitmq_url),
        auth_url=auth_url,
        api_url=api_url,
        lease_s=3.0,
        grace_s=0.5,
        sweep_interval_s=0.05,
        claim_s=1.0,
        scrub_interval_s=0.1,
    )


@pytest_asyncio.fixture
async def start_presence(settings: Settings, token_maker: TokenMaker) -> AsyncIterator[StartPresence]:
    """Starts processes of the service, which end with the test."""
    async with AsyncExitStack() as stack:

        async def start(**changes: Any) -> Service:
            return await stack.enter_async_context(running(settings.model_copy(update=changes), token_maker))

        yield start


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def presence(settings: Settings, token_maker: TokenMaker) -> AsyncIterator[Service]:
    """One process for the module; users are new in each test."""
    async with running(settings, token_maker) as service:
        await eventually(service.is_ready)
        yield service


@asynccontextmanager
async def running(settings: Settings, tokens: TokenMaker) -> AsyncIterator[Service]:
    """One process of the service until the block's end."""
    async with serve(build(settings)) as url, aiohttp.ClientSession() as http:
        yield Service(url, http, tokens)


@pytest_asyncio.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest_asyncio.fixture
async def listen(redis: Redis) -> AsyncIterator[Listen]:
    """Subscribes to the presence of users, as a gateway does."""
    async with AsyncExitStack() as stack:

        async def start(*user_ids: str) -> ReceivedEvents:
            received = ReceivedEvents()
            subscription = await stack.enter_async_context(redis.pubsub(ignore_subscribe_messages=True))
            await subscription.subscribe(*(topology.presence_channel(user_id) for user_id in user_ids))
            task = asyncio.create_task(_collect(subscription, received))
            stack.push_async_callback(_cancel, task)
            return received

        yield start


async def _collect(subscription: Any, received: ReceivedEvents) -> None:
    while True:
        message = await subscription.get_message(timeout=None)
        if message is not None:
            received.events.append(PresenceEvent.from_bytes(message["data"]))


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def ada() -> str:
    return new_id()


@pytest.fixture
def ben() -> str:
    return new_id()
