"""The pytest plugin: real PostgreSQL, Redis and RabbitMQ as fixtures, apart for each worker.

`backing` the addresses · `fresh_database("api")` a new empty database with its own role · `postgres_url` one for the
module · `redis_url` this worker's server, emptied · `rabbitmq_url` a virtual host for the worker ·
`fresh_vhost()` a new one · `accounts["api"]` a service's own
addresses there · `token_maker` signs access tokens · `key_server` serves their keys.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

import pytest
import pytest_asyncio
import redis.asyncio
import structlog

from synctalk_testkit import backing as backing_set
from synctalk_testkit.accounts import ServiceAccount, create_accounts
from synctalk_testkit.backing import Backing
from synctalk_testkit.databases import create_database, drop_database
from synctalk_testkit.tokens import KeyServer, TokenMaker
from synctalk_testkit.vhosts import create_vhost, delete_vhost

Fresh = Callable[[], Awaitable[str]]
FreshDatabase = Callable[[str], Awaitable[str]]


def pytest_configure(config: pytest.Config) -> None:
    # structlog's own default draws tracebacks for the terminal, at seconds each.
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=repr),
        ]
    )
    if not _is_worker(config):
        backing_set.become_owner()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not _is_worker(config):
        backing_set.end()


@pytest.fixture(scope="session")
def backing() -> Iterator[Backing]:
    yield backing_set.running()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fresh_database(backing: Backing) -> AsyncIterator[FreshDatabase]:
    """Creates an empty database for the named service and gives its url; all of them go with the set, at its end."""
    made: list[str] = []

    async def create(service: str) -> str:
        made.append(await create_database(backing.postgres_url, service))
        return made[-1]

    yield create
    # Each drop takes a checkpoint, for which the queries of other workers wait.
    if backing_set.is_given():
        for url in made:
            await drop_database(backing.postgres_url, url)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def postgres_url(backing: Backing) -> AsyncIterator[str]:
    """An empty database for this test module."""
    url = await create_database(backing.postgres_url, "test")
    yield url
    await drop_database(backing.postgres_url, url)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis_url(backing: Backing) -> str:
    """A Redis server that no other worker uses: pub/sub does not know databases."""
    url = backing.redis_urls[_worker_number() % len(backing.redis_urls)]
    client = redis.asyncio.from_url(url)
    await client.flushall()
    await client.aclose()
    return url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def rabbitmq_url(backing: Backing) -> AsyncIterator[str]:
    """A virtual host for this worker."""
    url = await create_vhost(backing)
    yield url
    await delete_vhost(backing, url)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fresh_vhost(backing: Backing) -> AsyncIterator[Fresh]:
    """Creates a new virtual host and gives its url; all of them go with the set, at its end."""
    made: list[str] = []

    async def create() -> str:
        made.append(await create_vhost(backing))
        return made[-1]

    yield create
    if backing_set.is_given():
        for url in made:
            await delete_vhost(backing, url)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def accounts(backing: Backing, redis_url: str, rabbitmq_url: str) -> Mapping[str, ServiceAccount]:
    """The services' accounts at `redis_url` and `rabbitmq_url`, with their rights of production."""
    return await create_accounts(backing, redis_url, rabbitmq_url)


@pytest.fixture(scope="session")
def token_maker() -> TokenMaker:
    """Signs access tokens as auth would."""
    return TokenMaker()


@pytest.fixture(scope="session")
def key_server(token_maker: TokenMaker) -> Iterator[KeyServer]:
    """Serves the maker's key set; its `url` is a service's AUTH_URL."""
    with KeyServer(token_maker) as server:
        yield server


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _worker_number() -> int:
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
