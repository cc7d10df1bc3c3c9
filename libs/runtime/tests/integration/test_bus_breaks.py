"""The bus while the broker, a queue or a connection goes away: nothing is lost, it says so, and it comes back."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import aiohttp
import pytest
from pydantic import SecretStr
from synctalk_contracts import topology
from synctalk_contracts.events.users import UserUpdated
from synctalk_runtime import bus as bus_module
from synctalk_runtime.bus import Bus
from synctalk_runtime.dead_letters import dead_letters
from synctalk_runtime.errors import UnavailableError
from synctalk_testkit import eventually as waiting
from synctalk_testkit.backing import Backing
from synctalk_testkit.queues import is_empty
from synctalk_testkit.relay import relay_to

QUEUE = topology.DurableQueue("test.users", (UserUpdated.type_name(),))

eventually = partial(waiting.eventually, timeout=30)


async def _delete_queue(url: str, queue: str) -> None:
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        await channel.queue_delete(queue)


@asynccontextmanager
async def _bus_with_a_frozen_broker(make_bus: Any, vhost: str) -> AsyncIterator[Bus]:
    """Connected, and nothing is confirmed any more; the caller stops it."""
    async with relay_to(vhost) as relay:
        bus = make_bus(relay.url)
        await bus.start()
        await eventually(lambda: _is_connected(bus))
        relay.freeze()
        yield bus


async def _is_connected(bus: Bus) -> bool:
    try:
        await bus.check()
    except ConnectionError:
        return False
    return True


async def test_check__not_connected__fails(make_bus: Any) -> None:
    with pytest.raises(ConnectionError):
        await make_bus("amqp://127.0.0.1:1/").check()


async def test_publish__not_connected__is_unavailable_at_once(make_bus: Any, send: Any) -> None:
    bus = make_bus("amqp://127.0.0.1:1/")
    await bus.start()
    started = time.monotonic()

    with pytest.raises(UnavailableError):
        await send(bus, "ada")
    with pytest.raises(UnavailableError):
        bus.send_command("api.commands.0", b"{}", ttl_ms=1000)

    assert time.monotonic() - started < 1
    await bus.stop()


async def _delivers(bus: Bus, send: Any, received: Any) -> bool:
    """Events of one's own queue are gone with the connection, so it takes one sent after."""
    try:
        await send(bus, "again")
    except UnavailableError:
        return False
    return "again" in received.names


async def test_broker__drops_all_connections__nothing_confirmed_is_lost(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    async with relay_to(vhost) as relay:
        bus = make_bus(relay.url)
        bus.subscribe(QUEUE, received)
        confirmed = []
        async with running(bus):
            for n in range(120):
                if n in (30, 60, 90):
                    relay.cut()
                    relay.mend()
                name = f"user-{n}"
                await eventually(lambda name=name: _sent(bus, send, name))
                confirmed.append(name)
            await received.until(*confirmed)


async def _sent(bus: Bus, send: Any, name: str) -> bool:
    try:
        await send(bus, name)
    except UnavailableError:
        return False
    return True


async def test_broker__gone_for_a_while__readiness_says_so_and_it_comes_back(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    async with relay_to(vhost) as relay:
        bus = make_bus(relay.url)
        bus.subscribe(QUEUE, received)
        async with running(bus):
            relay.cut()
            await eventually(lambda: _is_refused(bus, send))
            await eventually(lambda: _says_not_ready(bus))
            relay.mend()
            await eventually(lambda: _sent(bus, send, "ada"))
            await received.until("ada")


async def _says_not_ready(bus: Bus) -> bool:
    return not await _is_connected(bus)


async def _is_refused(bus: Bus, send: Any) -> bool:
    return not await _sent(bus, send, "nobody")


async def test_broker__away_at_the_start__is_found_later(make_bus: Any, vhost: str, received: Any, send: Any) -> None:
    async with relay_to(vhost) as relay:
        relay.cut()
        bus = make_bus(relay.url)
        bus.subscribe(QUEUE, received)
        await bus.start()
        with pytest.raises(ConnectionError):
            await bus.check()
        relay.mend()

        await eventually(lambda: _sent(bus, send, "ada"))
        await received.until("ada")
        await bus.stop()


async def test_broker__freezes__publishing_ends_at_its_deadline(
    make_bus: Any, running: Any, vhost: str, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "PUBLISH_TIMEOUT_S", 0.3)
    async with relay_to(vhost) as relay:
        bus = make_bus(relay.url)
        async with running(bus):
            relay.freeze()
            started = time.monotonic()
            with pytest.raises(UnavailableError):
                await send(bus, "ada")
            assert time.monotonic() - started < 2
            relay.mend()


async def test_publish__unconfirmed_when_the_bus_stops__is_unavailable(make_bus: Any, vhost: str, send: Any) -> None:
    async with _bus_with_a_frozen_broker(make_bus, vhost) as bus:
        publishing = asyncio.create_task(send(bus, "ada"))
        await asyncio.sleep(0)  # it waits for the confirmation
        await bus.stop()

        with pytest.raises(UnavailableError):
            await publishing


async def test_publish__while_the_bus_closes__is_unavailable_at_once(make_bus: Any, vhost: str, send: Any) -> None:
    async with _bus_with_a_frozen_broker(make_bus, vhost) as bus:
        stopping = asyncio.create_task(bus.stop())
        refused = 0
        while not stopping.done():
            await asyncio.sleep(0.05)
            with pytest.raises(UnavailableError):
                async with asyncio.timeout(1):
                    await send(bus, "ada")
            refused += 1

    assert refused > 5


async def test_ack__after_a_reconnect__the_batch_comes_again(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    entered, go = asyncio.Event(), asyncio.Event()
    first = True

    async def handler(events: list[Any]) -> None:
        nonlocal first
        if first:
            first = False
            entered.set()
            await go.wait()
        await received(events)

    async with relay_to(vhost) as relay:
        bus = make_bus(relay.url)
        bus.subscribe(QUEUE, handler)
        async with running(bus):
            await send(bus, "ada")
            await entered.wait()
            relay.cut()
            go.set()
            relay.mend()
            await received.until("ada")
            await eventually(lambda: is_empty(vhost, QUEUE.name))
            await eventually(lambda: _is_connected(bus))  # publishing has a connection of its own
            await send(bus, "bob")
            await received.until("bob")


async def test_queue__deleted_under_the_consumer__is_declared_anew(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, received)
    async with running(bus):
        await _delete_queue(vhost, QUEUE.name)
        await eventually(lambda: _delivers(bus, send, received))


async def test_watch__a_consumer_that_the_broker_does_not_know__is_opened_anew(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any, quick_watch: None
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, received)
    async with running(bus):
        consumer = bus._consumers[0]._receiver
        # What a lost consumer looks like from here: nothing says so, and nothing comes any more.
        await consumer._declared.cancel(consumer._tag)
        await send(bus, "ada")
        await received.until("ada")


async def test_vhost__deleted_and_made_again__all_is_declared_anew(
    backing: Backing, make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, received)
    bus.serve(lambda: "test", received, ttl_ms=1000, max_length=10)
    async with running(bus):
        await _remake_vhost(backing, vhost)
        await eventually(lambda: _sent(bus, send, "ada"))
        await received.until("ada")


async def _remake_vhost(backing: Backing, url: str) -> None:
    address = urlsplit(url)
    auth = aiohttp.encode_basic_auth(address.username or "", address.password or "")
    name = address.path.lstrip("/")
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    async with aiohttp.ClientSession(
        backing.rabbitmq_management_url, headers={"Authorization": auth}, raise_for_status=True
    ) as http:
        await http.delete(f"/api/vhosts/{name}")
        await http.put(f"/api/vhosts/{name}", json={})
        await http.put(f"/api/permissions/{name}/{address.username}", json=everything)


async def test_blocked__by_the_broker__is_not_ready(make_bus: Any, running: Any, vhost: str) -> None:
    """A memory or disk alarm: the connection looks well, and nothing is taken."""
    bus = make_bus(vhost)
    async with running(bus):
        connection = bus._confirmed._channel.connection
        connection._Connection__connection_unblocked.clear()  # as the broker's Connection.Blocked does
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await bus.check()
        connection._Connection__connection_unblocked.set()
        await bus.check()


async def test_listen__catching_up_has_a_bug__the_bus_comes_back(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    calls = 0

    async def catch_up() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise KeyError("a bug")

    bus = make_bus(vhost)
    bus.listen(UserUpdated, received, after_open=catch_up)
    async with running(bus):
        await eventually(lambda: calls == 2)
        await eventually(lambda: _delivers(bus, send, received))


async def test_start__nobody_listens__what_was_tried_is_closed(make_bus: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """aio-pika would close it when it is collected, in a task that nobody awaits."""
    tried: list[aio_pika.Connection] = []
    connect = aio_pika.Connection.connect

    async def remember(connection: aio_pika.Connection, *given: Any) -> None:
        tried.append(connection)
        await connect(connection, *given)

    monkeypatch.setattr(aio_pika.Connection, "connect", remember)
    bus = make_bus("amqp://127.0.0.1:1/")
    await bus.start()
    await eventually(lambda: len(tried) >= 2)
    await bus.stop()
    assert all(connection.is_closed for connection in tried)


async def test_nodes__one_of_two_is_away__connects_to_the_other(make_bus: Any, vhost: str, running: Any) -> None:
    bus = make_bus(f"amqp://127.0.0.1:1/, {vhost}")
    async with running(bus):
        await eventually(lambda: _is_connected(bus))
    async with dead_letters(SecretStr(f"amqp://127.0.0.1:1/,{vhost}"), ()) as dead:
        assert await dead.look() == []


async def test_nodes__the_one_connected_to_goes_away__the_other_takes_over(
    make_bus: Any, vhost: str, running: Any, send: Any, received: Any
) -> None:
    async with relay_to(vhost) as first, relay_to(vhost) as second:
        bus = make_bus(f"{first.url},{second.url}")
        bus.subscribe(QUEUE, received)
        async with running(bus):
            await eventually(lambda: _is_connected(bus))
            (used,) = [relay for relay in (first, second) if relay.connections]
            used.cut()
            await eventually(lambda: (second if used is first else first).connections)
            await eventually(lambda: _delivers(bus, send, received))


async def test_consumer__its_declaration_is_refused__fails_alone_and_receives_once_it_can(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    """RabbitMQ refuses to declare a queue with other arguments than it has."""
    other = topology.DurableQueue("test.others", QUEUE.events)
    await _declare_plain(vhost, other.name)
    from_other: list[Any] = []

    async def take(events: list[Any]) -> None:
        from_other.extend(events)

    bus = make_bus(vhost)
    refused = bus.subscribe(other, take)
    well = bus.subscribe(QUEUE, received)
    await bus.start()
    try:
        await eventually(lambda: bus.connected and well.receiving)
        await send(bus, "ada")
        await received.until("ada")
        assert not refused.receiving
        with pytest.raises(ConnectionError, match=r"test\.others"):
            await bus.check()

        await _delete_queue(vhost, other.name)
        await eventually(lambda: refused.receiving)
        await send(bus, "bob")
        await eventually(lambda: [event.user.username for event in from_other] == ["bob"])
        await received.until("bob")
    finally:
        await bus.stop()


async def _declare_plain(url: str, queue: str) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue(queue, durable=True)
