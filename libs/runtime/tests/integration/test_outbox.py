"""The outbox: an event is sent if and only if its transaction was committed, whatever breaks in between."""

import asyncio
from functools import partial
from typing import Any

import aio_pika
import pytest
from synctalk_contracts import topology
from synctalk_contracts.envelope import Envelope, read_envelopes
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.events.users import UserUpdated
from synctalk_runtime import outbox
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Postgres
from synctalk_testkit import eventually as waiting
from synctalk_testkit.queues import depth
from synctalk_testkit.relay import relay_to

QUEUE = topology.DurableQueue("test.users", (UserUpdated.type_name(),))

eventually = partial(waiting.eventually, timeout=30)


class Broker:
    """Takes what is published, or fails as a test says it to; stands where the bus does, to count and to break."""

    def __init__(self) -> None:
        self.published: list[list[str]] = []
        self.failures: list[Exception] = []

    async def declare_fed_by(self, event_types: set[str]) -> None:
        assert event_types == {UserUpdated.type_name()}

    async def publish(self, exchange: str, routing_key: str, body: bytes) -> None:
        assert (exchange, routing_key) == (topology.EVENTS_EXCHANGE, UserUpdated.type_name())
        if self.failures:
            raise self.failures.pop(0)
        self.published.append([envelope.payload["user"]["username"] for envelope in read_envelopes(body)])

    @property
    def names(self) -> list[str]:
        return [name for names in self.published for name in names]


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
async def relay(postgres: Postgres, broker: Broker) -> Any:
    relay = OutboxRelay(postgres, broker, interval_s=0.01)  # type: ignore[arg-type]
    yield relay
    await relay.stop()


async def _write(postgres: Postgres, *events: UserUpdated) -> None:
    async with postgres.transaction() as conn:
        await outbox.add(conn, events)


async def _rows(postgres: Postgres) -> int:
    async with postgres.connection() as conn:
        return int(await conn.fetchval("select count(*) from outbox"))


async def test_add__the_transaction_fails__nothing_is_empty(postgres: Postgres, user_event: Any) -> None:
    with pytest.raises(RuntimeError):
        async with postgres.transaction() as conn:
            await outbox.add(conn, [user_event("ada")])
            raise RuntimeError

    assert await _rows(postgres) == 0


async def test_relay__many_events__are_sent_in_order_in_batches_and_removed(
    postgres: Postgres, relay: OutboxRelay, broker: Broker, user_event: Any
) -> None:
    names = [f"user-{n}" for n in range(2 * outbox.BATCH + 50)]
    for first in range(0, len(names), 50):
        await _write(postgres, *(user_event(name) for name in names[first : first + 50]))
    await relay.start()

    await eventually(lambda: len(broker.names) >= len(names))
    assert broker.names == names
    assert [len(batch) for batch in broker.published] == [outbox.BATCH, outbox.BATCH, 50]
    await eventually(lambda: _is_empty(postgres))


class SlowBroker:
    """Notes in which order two types are published, while each takes its time to declare and to confirm."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._declared: set[str] = set()

    async def declare_fed_by(self, event_types: set[str]) -> None:
        if not event_types <= self._declared:
            await asyncio.sleep(0.02 if UserUpdated.type_name() in event_types else 0)
            self._declared |= event_types

    async def publish(self, exchange: str, routing_key: str, body: bytes) -> None:
        self.numbers += [envelope.payload["place"] for envelope in read_envelopes(body)]
        await asyncio.sleep(0.005)


async def test_relays__of_several_processes__publish_types_in_the_order_of_commit(postgres: Postgres) -> None:
    broker = SlowBroker()
    relays = [OutboxRelay(postgres, broker, interval_s=0.01) for _ in range(3)]  # type: ignore[arg-type]
    for relay in relays:
        await relay.start()
    types = (UserUpdated.type_name(), SessionRevoked.type_name())
    for place in range(60):
        envelope = Envelope(id=new_id(), type=types[place % 2], time=utc_now(), payload={"place": place})
        async with postgres.transaction() as conn:
            await conn.execute(outbox.ADD, [envelope.type], [envelope.model_dump_json()])
        relays[place % 3].wake()

    await eventually(lambda: len(broker.numbers) >= 60)
    for relay in relays:
        await relay.stop()
    assert broker.numbers == list(range(60))


async def _is_empty(postgres: Postgres) -> bool:
    return await _rows(postgres) == 0


@pytest.fixture
def never_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "IDLE_S", 60)


@pytest.mark.usefixtures("never_by_itself")
async def test_relay__woken__sends_at_once(
    postgres: Postgres, relay: OutboxRelay, broker: Broker, user_event: Any
) -> None:
    await relay.start()
    await _write(postgres, user_event("ada"))
    relay.wake()

    await eventually(lambda: broker.names == ["ada"])


async def test_relay__forgotten_to_be_woken__looks_by_itself(
    postgres: Postgres, relay: OutboxRelay, broker: Broker, user_event: Any
) -> None:
    await relay.start()
    await _write(postgres, user_event("ada"))

    await eventually(lambda: broker.names == ["ada"])


async def test_relay__the_broker_does_not_answer__sends_later_in_order(
    postgres: Postgres, relay: OutboxRelay, broker: Broker, user_event: Any
) -> None:
    broker.failures = [UnavailableError(), UnavailableError()]
    await _write(postgres, user_event("ada"), user_event("bob"))
    await relay.start()

    await eventually(lambda: broker.names == ["ada", "bob"])
    await eventually(lambda: _is_empty(postgres))


async def test_relay__a_queue_takes_nothing__delays_only_its_own_events(
    postgres: Postgres, user_event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "BATCH", 4)
    monkeypatch.setattr(outbox, "SET_ASIDE_S", 0.5)
    taken: list[str] = []
    is_full = True

    class OneFull:
        async def declare_fed_by(self, _: set[str]) -> None:
            return

        async def publish(self, _: str, type_name: str, body: bytes) -> None:
            if type_name == UserUpdated.type_name() and is_full:
                raise UnavailableError
            taken.extend(type_name for _ in read_envelopes(body))

    revoked = SessionRevoked(session_id=new_id(), user_id=new_id(), reason="logged_out", deny_until=utc_now())
    async with postgres.transaction() as conn:
        for number in range(6):  # more than a batch
            await outbox.add(conn, [user_event(f"user-{number}")])
        await outbox.add(conn, [revoked])
    relay = OutboxRelay(postgres, OneFull(), interval_s=0.01)  # type: ignore[arg-type]
    await relay.start()
    relay.wake()
    await eventually(lambda: taken == [SessionRevoked.type_name()])
    assert await _rows(postgres) == 6

    is_full = False
    await eventually(lambda: taken == [SessionRevoked.type_name(), *[UserUpdated.type_name()] * 6])
    await eventually(lambda: _is_empty(postgres))
    await relay.stop()


async def test_relay__a_bug__goes_on(postgres: Postgres, relay: OutboxRelay, broker: Broker, user_event: Any) -> None:
    broker.failures = [ValueError("a bug")]
    await _write(postgres, user_event("ada"))
    await relay.start()

    await eventually(lambda: broker.names == ["ada"])


async def test_relay__ends_between_publishing_and_deleting__repeats_with_the_same_ids(
    postgres: Postgres, user_event: Any
) -> None:
    sent: list[str] = []
    published = asyncio.Event()

    class Stuck:
        async def declare_fed_by(self, _: set[str]) -> None:
            return

        async def publish(self, _: str, __: str, body: bytes) -> None:
            sent.extend(envelope.id for envelope in read_envelopes(body))
            published.set()
            if len(sent) == 1:
                await asyncio.Event().wait()  # until the process dies

    await _write(postgres, user_event("ada"))
    first = OutboxRelay(postgres, Stuck(), interval_s=0.01)  # type: ignore[arg-type]
    await first.start()
    await published.wait()
    await first.stop()
    second = OutboxRelay(postgres, Stuck(), interval_s=0.01)  # type: ignore[arg-type]
    await second.start()
    await eventually(lambda: len(sent) == 2)
    await eventually(lambda: _is_empty(postgres))
    await second.stop()

    assert len(set(sent)) == 1


async def test_relay__two_processes__send_each_event_once(
    postgres: Postgres, broker: Broker, user_event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "BATCH", 10)
    names = [f"user-{n}" for n in range(200)]
    await _write(postgres, *(user_event(name) for name in names))
    relays = [OutboxRelay(postgres, broker, interval_s=0) for _ in range(2)]  # type: ignore[arg-type]
    for relay in relays:
        await relay.start()
    await eventually(lambda: _is_empty(postgres))
    for relay in relays:
        await relay.stop()

    assert sorted(broker.names) == sorted(names)


async def test_relay__over_a_real_bus_that_breaks__loses_nothing(
    postgres: Postgres, make_bus: Any, running: Any, vhost: str, received: Any, user_event: Any
) -> None:
    names = [f"user-{n}" for n in range(100)]
    async with relay_to(vhost) as between:
        bus = make_bus(between.url)
        bus.subscribe(QUEUE, received)
        relay = OutboxRelay(postgres, bus, interval_s=0.01)
        async with running(bus):
            await relay.start()
            for n, name in enumerate(names):
                await _write(postgres, user_event(name))
                relay.wake()
                if n in (20, 60):
                    between.cut()
                    between.mend()
            await received.until(*names)
            await relay.stop()

    firsts = list(dict.fromkeys(received.names))
    assert firsts == names


@pytest.fixture
async def relaying(postgres: Postgres, make_bus: Any, running: Any, vhost: str) -> Any:
    """A relay over a bus of its own, on a broker that nobody else has ever connected to."""
    bus = make_bus(vhost)
    relay = OutboxRelay(postgres, bus, interval_s=0.01)
    async with running(bus):
        await relay.start()
        yield relay
        await relay.stop()


async def test_relay__the_consumer_was_never_there__its_queue_has_the_event(
    postgres: Postgres, relaying: OutboxRelay, vhost: str, user_event: Any, make_bus: Any, running: Any, received: Any
) -> None:
    await _write(postgres, user_event("before"))
    relaying.wake()
    await eventually(lambda: _is_empty(postgres))
    assert await depth(vhost, topology.AUTH_USERS.name) == 1

    consumer = make_bus(vhost)
    consumer.subscribe(topology.AUTH_USERS, received)
    async with running(consumer):
        await received.until("before")


async def test_relay__the_queue_is_deleted_while_its_consumer_is_down__the_next_event_is_in_a_new_one(
    postgres: Postgres, relaying: OutboxRelay, vhost: str, user_event: Any
) -> None:
    await _write(postgres, user_event("lost with the queue"))
    relaying.wake()
    await eventually(lambda: _is_empty(postgres))
    connection = await aio_pika.connect(vhost)
    async with connection:
        channel = await connection.channel()
        await channel.queue_delete(topology.AUTH_USERS.name)

    await _write(postgres, user_event("kept"))
    relaying.wake()
    await eventually(lambda: _is_empty(postgres))

    assert await depth(vhost, topology.AUTH_USERS.name) == 1


async def test_relay__the_queue_cannot_be_declared__the_row_stays_until_it_can(
    postgres: Postgres, relaying: OutboxRelay, vhost: str, user_event: Any
) -> None:
    connection = await aio_pika.connect(vhost)
    async with connection:
        channel = await connection.channel()
        await channel.declare_queue(topology.AUTH_USERS.name, durable=True)  # with other arguments
        await _write(postgres, user_event("kept"))
        relaying.wake()
        with pytest.raises(UnavailableError):
            await relaying._bus.declare_fed_by({UserUpdated.type_name()})
        assert await _rows(postgres) == 1

        await channel.queue_delete(topology.AUTH_USERS.name)
        await eventually(lambda: _is_empty(postgres))

    assert await depth(vhost, topology.AUTH_USERS.name) == 1


async def test_publish__no_queue_takes_what_one_must_get__is_unavailable(
    make_bus: Any, running: Any, vhost: str, send: Any
) -> None:
    bus = make_bus(vhost)
    async with running(bus):
        with pytest.raises(UnavailableError):
            await send(bus, "nobody")
