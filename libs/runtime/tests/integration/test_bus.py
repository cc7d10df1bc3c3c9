"""The bus over a real broker: what is lost (nothing), what is repeated, what is buried, and how it comes back."""

import asyncio
import time
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import aiohttp
import pytest
from pydantic import SecretStr
from synctalk_contracts import topology
from synctalk_contracts.envelope import write_envelopes
from synctalk_contracts.events.users import UserUpdated
from synctalk_runtime import bus as bus_module
from synctalk_runtime import consuming
from synctalk_runtime.bus import Bus
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.replay import replay
from synctalk_testkit import eventually as waiting
from synctalk_testkit.backing import Backing
from synctalk_testkit.relay import relay_to

QUEUE = "test.users"

eventually = partial(waiting.eventually, timeout=30)


async def _depth(url: str, queue: str) -> int:
    """Messages waiting, or -1 where there is no such queue."""
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        try:
            declared = await channel.declare_queue(queue, passive=True)
        except aio_pika.exceptions.ChannelNotFoundEntity:
            return -1
        return declared.declaration_result.message_count or 0


async def _delete_queue(url: str, queue: str) -> None:
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        await channel.queue_delete(queue)


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
        await bus.send_command("api.commands.0", b"{}", ttl_ms=1000)

    assert time.monotonic() - started < 1
    await bus.stop()


async def test_subscribe__events_of_other_types__are_not_heard(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, [UserUpdated], heard)
    async with running(bus):
        await bus.publish(topology.EVENTS_EXCHANGE, "message.created.v1", b"[]")
        await send(bus, "ada")
        await heard.until("ada")

    assert heard.names == ["ada"]
    assert await _depth(vhost, QUEUE) == 0


async def test_subscribe__many_events__come_in_order_and_in_batches(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, [UserUpdated], heard, max_batch=50)
    names = [f"user-{n}" for n in range(300)]
    async with running(bus):
        await asyncio.gather(*(send(bus, name) for name in names))
        await heard.until(*names)

    assert heard.names == names
    assert 1 < max(len(batch) for batch in heard.batches) <= 50


async def test_subscribe__two_processes__share_the_work(make_bus: Any, running: Any, vhost: str, send: Any) -> None:
    from_one: list[Any] = []
    from_two: list[Any] = []

    async def one(events: list[Any]) -> None:
        from_one.extend(events)

    async def two(events: list[Any]) -> None:
        from_two.extend(events)

    buses = [make_bus(vhost), make_bus(vhost)]
    for bus, handler in zip(buses, (one, two), strict=True):
        bus.subscribe(QUEUE, [UserUpdated], handler, max_batch=5)
    async with running(*buses):
        for n in range(100):
            await send(buses[0], f"user-{n}")
        await eventually(lambda: len(from_one) + len(from_two) == 100)

    assert from_one and from_two


async def test_listen__two_processes__both_hear_all(make_bus: Any, running: Any, vhost: str, send: Any) -> None:
    heard_by: list[list[Any]] = [[], []]
    buses = [make_bus(vhost), make_bus(vhost)]
    for bus, list_ in zip(buses, heard_by, strict=True):

        async def handler(events: list[Any], list_: list[Any] = list_) -> None:
            list_.extend(events)

        bus.listen(UserUpdated, handler)
    async with running(*buses):
        await send(buses[0], "ada")
        await eventually(lambda: all(heard_by))


async def test_listen__after_connect__is_called_after_each_connect_until_it_works(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any
) -> None:
    calls = 0

    async def catch_up() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise UnavailableError

    async with relay_to(vhost) as relay:
        bus = make_bus(relay.url)
        bus.listen(UserUpdated, heard, after_connect=catch_up)
        async with running(bus):
            await send(bus, "ada")  # heard although catching up still fails
            await heard.until("ada")
            await eventually(lambda: calls == 2)
            relay.cut()
            relay.mend()
            await eventually(lambda: calls == 3)


async def test_listen__catching_up_has_a_bug__the_bus_comes_back(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any
) -> None:
    calls = 0

    async def catch_up() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise KeyError("a bug")

    bus = make_bus(vhost)
    bus.listen(UserUpdated, heard, after_connect=catch_up)
    async with running(bus):
        await eventually(lambda: calls == 2)
        await eventually(lambda: _delivers(bus, send, heard))


async def _delivers(bus: Bus, send: Any, heard: Any) -> bool:
    """Events of one's own queue are gone with the connection, so it takes one sent after."""
    try:
        await send(bus, "again")
    except UnavailableError:
        return False
    return "again" in heard.names


async def test_broker__drops_all_connections__nothing_confirmed_is_lost(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any
) -> None:
    async with relay_to(vhost) as relay:
        bus = make_bus(relay.url)
        bus.subscribe(QUEUE, [UserUpdated], heard)
        confirmed = []
        async with running(bus):
            for n in range(120):
                if n in (30, 60, 90):
                    relay.cut()
                    relay.mend()
                name = f"user-{n}"
                await eventually(lambda name=name: _sent(bus, send, name))
                confirmed.append(name)
            await heard.until(*confirmed)


async def _sent(bus: Bus, send: Any, name: str) -> bool:
    try:
        await send(bus, name)
    except UnavailableError:
        return False
    return True


async def test_broker__gone_for_a_while__readiness_says_so_and_it_comes_back(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any
) -> None:
    async with relay_to(vhost) as relay:
        bus = make_bus(relay.url)
        bus.subscribe(QUEUE, [UserUpdated], heard)
        async with running(bus):
            relay.cut()
            await eventually(lambda: _is_refused(bus, send))
            await eventually(lambda: _says_not_ready(bus))
            relay.mend()
            await eventually(lambda: _sent(bus, send, "ada"))
            await heard.until("ada")


async def _says_not_ready(bus: Bus) -> bool:
    return not await _is_connected(bus)


async def _is_refused(bus: Bus, send: Any) -> bool:
    return not await _sent(bus, send, "nobody")


async def test_broker__not_there_at_the_start__is_found_later(make_bus: Any, vhost: str, heard: Any, send: Any) -> None:
    async with relay_to(vhost) as relay:
        relay.cut()
        bus = make_bus(relay.url)
        bus.subscribe(QUEUE, [UserUpdated], heard)
        await bus.start()
        with pytest.raises(ConnectionError):
            await bus.check()
        relay.mend()

        await eventually(lambda: _sent(bus, send, "ada"))
        await heard.until("ada")
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
    async with relay_to(vhost) as relay:
        bus = make_bus(relay.url)
        await bus.start()
        await eventually(lambda: _is_connected(bus))
        relay.freeze()
        publishing = asyncio.create_task(send(bus, "ada"))
        await asyncio.sleep(0)  # it waits for the confirmation
        await bus.stop()

        with pytest.raises(UnavailableError):
            await publishing


async def test_publish__while_the_bus_closes__is_unavailable_at_once(make_bus: Any, vhost: str, send: Any) -> None:
    async with relay_to(vhost) as relay:
        bus = make_bus(relay.url)
        await bus.start()
        await eventually(lambda: _is_connected(bus))
        relay.freeze()
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
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any
) -> None:
    entered, go = asyncio.Event(), asyncio.Event()
    first = True

    async def handler(events: list[Any]) -> None:
        nonlocal first
        if first:
            first = False
            entered.set()
            await go.wait()
        await heard(events)

    async with relay_to(vhost) as relay:
        bus = make_bus(relay.url)
        bus.subscribe(QUEUE, [UserUpdated], handler)
        async with running(bus):
            await send(bus, "ada")
            await entered.wait()
            relay.cut()
            go.set()
            relay.mend()
            await heard.until("ada")
            await eventually(lambda: _is_empty(vhost, QUEUE))
            await send(bus, "bob")
            await heard.until("bob")


async def _is_empty(url: str, queue: str) -> bool:
    return await _depth(url, queue) == 0


async def test_queue__deleted_under_the_consumer__is_declared_anew(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, [UserUpdated], heard)
    async with running(bus):
        await _delete_queue(vhost, QUEUE)
        await eventually(lambda: _delivers(bus, send, heard))


async def test_watch__a_consumer_that_the_broker_does_not_know__is_opened_anew(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any, quick_watch: None
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, [UserUpdated], heard)
    async with running(bus):
        consumer = bus._consumers[0]
        # What a lost consumer looks like from here: nobody tells us, and nothing comes any more.
        await consumer._declared.cancel(consumer._tag)
        await send(bus, "ada")
        await heard.until("ada")


async def test_vhost__deleted_and_made_again__all_is_declared_anew(
    backing: Backing, make_bus: Any, running: Any, vhost: str, heard: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, [UserUpdated], heard)
    bus.serve("test.commands.0", heard, ttl_ms=1000, max_length=10)
    async with running(bus):
        await _remake_vhost(backing, vhost)
        await eventually(lambda: _sent(bus, send, "ada"))
        await heard.until("ada")


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


async def test_handler__unavailable__the_same_batch_is_tried_again_and_nothing_overtakes(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, [UserUpdated], heard, max_batch=2)
    heard.failing = lambda _: UnavailableError() if heard.tries <= 3 else None
    names = [f"user-{n}" for n in range(6)]
    async with running(bus):
        for name in names:
            await send(bus, name)
        await heard.until(*names)

    assert heard.names == names
    assert await _depth(vhost, topology.dead_queue(QUEUE)) == 0


async def test_handler__unavailable_for_long__gives_the_batch_back(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "AGAIN_TRIES", 2)
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, [UserUpdated], heard)
    heard.failing = lambda _: UnavailableError() if heard.tries <= 5 else None
    async with running(bus):
        await send(bus, "ada")
        await heard.until("ada")

    assert heard.names == ["ada"]


async def test_handler__fails_on_one_event__only_that_one_is_buried(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, [UserUpdated], heard)
    heard.failing = lambda names: ValueError("poison") if "poison" in names else None
    async with running(bus):
        await asyncio.gather(*(send(bus, name) for name in ("ada", "poison", "bob", "cyd")))
        await heard.until("ada", "bob", "cyd")
        await eventually(lambda: _has_dead(vhost, 1))

    assert heard.names == ["ada", "bob", "cyd"]
    assert await _depth(vhost, QUEUE) == 0


async def _has_dead(url: str, count: int) -> bool:
    return await _depth(url, topology.dead_queue(QUEUE)) == count


@pytest.mark.parametrize("body", [b"", b"nonsense", b"{}", b"[{}]", b"\xff\xfe", b"[1]", b"[" * 3000])
async def test_message__that_cannot_be_read__is_buried_and_the_others_go_on(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any, body: bytes
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, [UserUpdated], heard)
    async with running(bus):
        await send(bus, "ada")
        await bus.publish(topology.EVENTS_EXCHANGE, UserUpdated.type_name(), body)
        await send(bus, "bob")
        await heard.until("ada", "bob")
        await eventually(lambda: _has_dead(vhost, 1))


async def test_message__of_a_type_of_the_future__is_passed_over(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any, user_event: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, [UserUpdated], heard)
    body = write_envelopes([]).replace(
        b"[]",
        b'[{"id":"01890a5d-ac96-774b-bcce-b302099a8057","type":"moon.landed.v1","time":"2026-01-01T00:00:00Z","payload":{}}]',
    )
    async with running(bus):
        await bus.publish(topology.EVENTS_EXCHANGE, UserUpdated.type_name(), body)
        await send(bus, "ada")
        await heard.until("ada")

    assert await _depth(vhost, topology.dead_queue(QUEUE)) == 0


async def test_replay__dead_letters__come_again_and_leave_the_dead_queue(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, [UserUpdated], heard)
    cured = False
    heard.failing = lambda _: None if cured else ValueError("poison")
    async with running(bus):
        for name in ("ada", "bob"):
            await send(bus, name)
        await eventually(lambda: _has_dead(vhost, 2))
        cured = True

        moved = await replay(SecretStr(vhost), (QUEUE, "no.such.queue"))

        assert moved == 2
        await heard.until("ada", "bob")
    assert await _depth(vhost, topology.dead_queue(QUEUE)) == 0


async def test_stop__while_a_batch_runs__waits_for_it_and_acks_it(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any
) -> None:
    entered, go = asyncio.Event(), asyncio.Event()

    async def handler(events: list[Any]) -> None:
        entered.set()
        await go.wait()
        await heard(events)

    bus = make_bus(vhost)
    bus.subscribe(QUEUE, [UserUpdated], handler)
    async with running(bus):
        await send(bus, "ada")
        await entered.wait()
        stopping = asyncio.create_task(bus.stop())
        await eventually(bus._consumers[0]._finishing.is_set)
        go.set()
        await stopping

    assert heard.names == ["ada"]
    assert await _depth(vhost, QUEUE) == 0


async def test_stop__with_more_waiting__leaves_the_rest_to_the_next(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any
) -> None:
    entered, go = asyncio.Event(), asyncio.Event()

    async def handler(events: list[Any]) -> None:
        entered.set()
        await go.wait()
        await heard(events)

    bus = make_bus(vhost)
    bus.subscribe(QUEUE, [UserUpdated], handler, max_batch=1)
    names = [f"user-{n}" for n in range(5)]
    async with running(bus):
        for name in names:
            await send(bus, name)
        await entered.wait()
        stopping = asyncio.create_task(bus.stop())
        await eventually(bus._consumers[0]._finishing.is_set)
        go.set()
        await stopping

    assert heard.names == names[:1]
    assert await _depth(vhost, QUEUE) == 4


async def test_stop__while_a_part_is_unavailable__does_not_wait_for_it(
    make_bus: Any, running: Any, vhost: str, heard: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, [UserUpdated], heard)
    heard.failing = lambda _: UnavailableError()
    async with running(bus):
        await send(bus, "ada")
        await eventually(lambda: heard.tries >= 2)
        started = time.monotonic()
        await bus.stop()

    assert time.monotonic() - started < 4
    await eventually(lambda: _has_waiting(vhost, 1))


async def _has_waiting(url: str, count: int) -> bool:
    return await _depth(url, QUEUE) == count


async def test_serve__commands__come_in_batches_and_are_acked(make_bus: Any, running: Any, vhost: str) -> None:
    batches: list[list[bytes]] = []

    async def handler(bodies: list[bytes]) -> None:
        batches.append(bodies)

    server, client = make_bus(vhost), make_bus(vhost)
    server.serve("test.commands.0", handler, ttl_ms=5000, max_length=1000)
    async with running(server, client):
        await asyncio.gather(*(client.send_command("test.commands.0", b"%d" % n, ttl_ms=5000) for n in range(200)))
        await eventually(lambda: sum(map(len, batches)) == 200)

    assert [int(body) for batch in batches for body in batch] == list(range(200))
    assert max(map(len, batches)) > 1
    assert await _depth(vhost, "test.commands.0") == 0


async def test_serve__two_processes__one_is_active_and_the_other_takes_over(
    make_bus: Any, running: Any, vhost: str
) -> None:
    taken: list[tuple[str, bytes]] = []

    def handler(name: str) -> Any:
        async def handle(bodies: list[bytes]) -> None:
            taken.extend((name, body) for body in bodies)

        return handle

    client, first, second = (make_bus(vhost) for _ in range(3))
    first.serve("test.commands.0", handler("first"), ttl_ms=5000, max_length=1000)
    second.serve("test.commands.0", handler("second"), ttl_ms=5000, max_length=1000)
    async with running(client, first, second):
        for n in range(20):
            await client.send_command("test.commands.0", b"%d" % n, ttl_ms=5000)
        await eventually(lambda: len(taken) == 20)
        (active,) = {name for name, _ in taken}
        other = {"first": "second", "second": "first"}[active]

        await {"first": first, "second": second}[active].stop()
        await client.send_command("test.commands.0", b"last", ttl_ms=5000)
        await eventually(lambda: (other, b"last") in taken)


async def test_serve__handler_has_a_bug__the_command_is_dropped_and_the_next_is_served(
    make_bus: Any, running: Any, vhost: str
) -> None:
    served: list[bytes] = []

    async def handler(bodies: list[bytes]) -> None:
        if b"poison" in bodies:
            raise ValueError("a bug")
        served.extend(bodies)

    bus = make_bus(vhost)
    bus.serve("test.commands.0", handler, ttl_ms=5000, max_length=1000)
    async with running(bus):
        await bus.send_command("test.commands.0", b"poison", ttl_ms=5000)
        await eventually(lambda: _is_empty(vhost, "test.commands.0"))
        await bus.send_command("test.commands.0", b"well", ttl_ms=5000)
        await eventually(lambda: served == [b"well"])


async def test_serve__nobody_serves_in_time__the_command_is_gone(make_bus: Any, running: Any, vhost: str) -> None:
    async def never(_: list[bytes]) -> None:
        await asyncio.Event().wait()

    bus = make_bus(vhost)
    bus.serve("test.commands.0", never, ttl_ms=200, max_length=1000)
    async with running(bus):
        pass  # declared, and nobody serves any more
    client = make_bus(vhost)
    async with running(client):
        await client.send_command("test.commands.0", b"late", ttl_ms=200)
        await eventually(lambda: _is_empty(vhost, "test.commands.0"))


async def test_blocked__by_the_broker__is_not_ready(make_bus: Any, running: Any, vhost: str) -> None:
    """A memory or disk alarm: the connection looks well, and nothing is taken."""
    bus = make_bus(vhost)
    async with running(bus):
        connection = bus._confirmed.connection
        connection._Connection__connection_unblocked.clear()  # as the broker's Connection.Blocked does
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await bus.check()
        connection._Connection__connection_unblocked.set()
        await bus.check()
