"""A bus, events to send on it, and a database with an outbox."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr
from synctalk_contracts import topology
from synctalk_contracts.envelope import Envelope, Event, write_envelopes
from synctalk_contracts.events.users import UserUpdated
from synctalk_contracts.models import User
from synctalk_runtime import bus as bus_module
from synctalk_runtime import consumer
from synctalk_runtime.bus import Bus
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.postgres import Postgres
from synctalk_testkit.eventually import eventually
from synctalk_testkit.plugin import Fresh, FreshDatabase

OUTBOX = """
create table outbox (id bigint generated always as identity primary key, type text not null, envelope text not null)
"""


PATIENCE_S = 30
"""How long what must come may take on a machine that has much else to do."""


class Received:
    """A handler that keeps what it was given, in order, and fails as a test says it to."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.failing: Callable[[list[str]], Exception | None] = lambda _: None
        self.tries = 0

    @property
    def names(self) -> list[str]:
        return [name for batch in self.batches for name in batch]

    async def __call__(self, events: list[Any]) -> None:
        names = [event.user.username for event in events]
        self.tries += 1
        if (error := self.failing(names)) is not None:
            raise error
        self.batches.append(names)

    async def until(self, *names: str) -> None:
        """Until all of these were received."""
        await eventually(lambda: set(names) <= set(self.names), PATIENCE_S, message=f"received {self.names}")


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No confirm is given up because the machine is busy; a test that wants one given up says so itself."""
    monkeypatch.setattr(bus_module, "PUBLISH_TIMEOUT_S", PATIENCE_S)


@pytest.fixture
def received() -> Received:
    return Received()


@pytest.fixture
def user_event() -> Callable[[str], UserUpdated]:
    def make(name: str) -> UserUpdated:
        return UserUpdated(user=User(id=new_id(), username=name, display_name=name, avatar_url=None))

    return make


@pytest.fixture
def send(user_event: Callable[[str], UserUpdated]) -> Callable[..., Awaitable[None]]:
    """Publishes one bus message with an event for each name, confirmed."""

    async def publish(bus: Bus, *names: str) -> None:
        events: list[Event] = [user_event(name) for name in names]
        envelopes = [
            Envelope(id=new_id(), type=e.type_name(), time=utc_now(), payload=e.model_dump(mode="json")) for e in events
        ]
        await bus.publish(topology.EVENTS_EXCHANGE, UserUpdated.type_name(), write_envelopes(envelopes))

    return publish


@pytest.fixture
def running() -> Any:
    """Starts buses; each is stopped at the end of its block."""

    @asynccontextmanager
    async def run(*buses: Bus) -> AsyncIterator[None]:
        try:
            for bus in buses:
                await bus.start()
            for bus in buses:
                await eventually(lambda bus=bus: is_ready(bus), PATIENCE_S, message="the bus does not come up")  # type: ignore[misc]
            yield
        finally:
            for bus in buses:
                await bus.stop()

    return run


async def is_ready(bus: Bus) -> bool:
    try:
        async with asyncio.timeout(1):
            await bus.check()
    except (ConnectionError, TimeoutError):
        return False
    return True


@pytest.fixture
async def vhost(fresh_vhost: Fresh) -> str:
    """A virtual host for this test."""
    return await fresh_vhost()


@pytest.fixture
def make_bus() -> Callable[[str], Bus]:
    return lambda url: Bus(SecretStr(url), name="test")


@pytest.fixture
def quick_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "WATCH_S", 0.3)


@pytest.fixture
async def postgres(fresh_database: FreshDatabase, make_settings: Any) -> AsyncIterator[Postgres]:
    """A database of its own for the test, with an outbox."""
    postgres = Postgres(make_settings(database_url=await fresh_database("test"), database_pool_size=4))
    await postgres.open()
    async with postgres.connection() as conn:
        await conn.execute(OUTBOX)
    yield postgres
    await postgres.close()
