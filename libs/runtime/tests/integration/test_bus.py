"""The bus over a real broker: who receives what, what is repeated, what becomes a dead letter, and how it stops."""

import asyncio
import time
from functools import partial
from typing import Any

import pytest
from pydantic import SecretStr
from synctalk_contracts import topology
from synctalk_contracts.envelope import write_envelopes
from synctalk_contracts.events.users import UserUpdated
from synctalk_runtime import consuming
from synctalk_runtime.dead_letters import dead_letters
from synctalk_runtime.errors import UnavailableError
from synctalk_testkit import eventually as waiting
from synctalk_testkit.queues import depth
from synctalk_testkit.relay import relay_to

QUEUE = topology.DurableQueue("test.users", (UserUpdated.type_name(),))

eventually = partial(waiting.eventually, timeout=30)


async def test_subscribe__events_of_other_types__are_not_received(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, received)
    async with running(bus):
        await bus.publish(topology.EVENTS_EXCHANGE, "something.happened.v1", b"[]")
        await send(bus, "ada")
        await received.until("ada")

    assert received.names == ["ada"]
    assert await depth(vhost, QUEUE.name) == 0


async def test_subscribe__many_events__come_in_order_and_in_batches(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, received, max_batch=50)
    names = [f"user-{n}" for n in range(300)]
    async with running(bus):
        await asyncio.gather(*(send(bus, name) for name in names))
        await received.until(*names)

    assert received.names == names
    assert 1 < max(len(batch) for batch in received.batches) <= 50


async def test_subscribe__two_processes__share_the_work(make_bus: Any, running: Any, vhost: str, send: Any) -> None:
    from_one: list[Any] = []
    from_two: list[Any] = []

    async def one(events: list[Any]) -> None:
        from_one.extend(events)

    async def two(events: list[Any]) -> None:
        from_two.extend(events)

    buses = [make_bus(vhost), make_bus(vhost)]
    for bus, handler in zip(buses, (one, two), strict=True):
        bus.subscribe(QUEUE, handler, max_batch=5)
    async with running(*buses):
        for n in range(100):
            await send(buses[0], f"user-{n}")
        await eventually(lambda: len(from_one) + len(from_two) == 100)

    assert from_one and from_two


async def test_listen__two_processes__both_receive_all(make_bus: Any, running: Any, vhost: str, send: Any) -> None:
    received_by: list[list[Any]] = [[], []]
    buses = [make_bus(vhost), make_bus(vhost)]
    for bus, list_ in zip(buses, received_by, strict=True):

        async def handler(events: list[Any], list_: list[Any] = list_) -> None:
            list_.extend(events)

        bus.listen(UserUpdated, handler)
    async with running(*buses):
        await send(buses[0], "ada")
        await eventually(lambda: all(received_by))


async def test_listen__after_open__is_called_after_each_connect_until_it_works(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    calls = 0

    async def catch_up() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise UnavailableError

    async with relay_to(vhost) as relay:
        bus = make_bus(relay.url)
        bus.listen(UserUpdated, received, after_open=catch_up)
        async with running(bus):
            await send(bus, "ada")  # received although catching up still fails
            await received.until("ada")
            await eventually(lambda: calls == 2)
            relay.cut()
            relay.mend()
            await eventually(lambda: calls == 3)


async def test_handler__unavailable__the_same_batch_is_tried_again_and_nothing_overtakes(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, received, max_batch=2)
    received.failing = lambda _: UnavailableError() if received.tries <= 3 else None
    names = [f"user-{n}" for n in range(6)]
    async with running(bus):
        for name in names:
            await send(bus, name)
        await received.until(*names)

    assert received.names == names
    assert await depth(vhost, topology.dead_queue(QUEUE.name)) == 0


async def test_handler__unavailable_for_long__gives_the_batch_back(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "UNAVAILABLE_TRIES", 2)
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, received)
    received.failing = lambda _: UnavailableError() if received.tries <= 5 else None
    async with running(bus):
        await send(bus, "ada")
        await received.until("ada")

    assert received.names == ["ada"]


async def test_handler__unavailable_for_hours__is_not_dead_lettered(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "UNAVAILABLE_TRIES", 1)  # each time it is given back at once
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, received)
    limit = QUEUE.arguments["x-delivery-limit"]
    received.failing = lambda _: UnavailableError() if received.tries <= 3 * limit else None
    async with running(bus):
        await send(bus, "ada")
        await received.until("ada")

    assert received.names == ["ada"]
    assert await depth(vhost, topology.dead_queue(QUEUE.name)) == 0


async def test_handler__fails_on_one_event__only_that_one_is_dead_lettered(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, received)
    received.failing = lambda names: ValueError("poison") if "poison" in names else None
    async with running(bus):
        await asyncio.gather(*(send(bus, name) for name in ("ada", "poison", "bob", "cyd")))
        await received.until("ada", "bob", "cyd")
        await eventually(lambda: _has_dead(vhost, 1))

    assert received.names == ["ada", "bob", "cyd"]
    assert await depth(vhost, QUEUE.name) == 0


async def _has_dead(url: str, count: int) -> bool:
    return await depth(url, topology.dead_queue(QUEUE.name)) == count


async def test_dead_letters__looked_at_often__stay_and_show_no_text(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, received)
    received.failing = lambda _: ValueError("poison")
    async with running(bus):
        await send(bus, "ada")
        await eventually(lambda: _has_dead(vhost, 1))
    for _ in range(25):  # an ordinary quorum queue drops what was delivered twenty times
        await eventually(lambda: _has_dead(vhost, 1))  # the broker takes it back after the connection has closed
        async with dead_letters(SecretStr(vhost), (QUEUE,)) as dead:
            [letter] = await dead.look()

    assert letter.queue == QUEUE.name
    assert [event.split()[0] for event in letter.events] == [UserUpdated.type_name()]
    assert letter.died_at is not None
    assert "ada" not in str(letter)
    await eventually(lambda: _has_dead(vhost, 1))


async def test_dead_letters__dropped__go(make_bus: Any, running: Any, vhost: str, received: Any, send: Any) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, received)
    received.failing = lambda _: ValueError("poison")
    async with running(bus):
        for name in ("ada", "bob"):
            await send(bus, name)
        await eventually(lambda: _has_dead(vhost, 2))

        async with dead_letters(SecretStr(vhost), (QUEUE,)) as dead:
            assert await dead.drop() == 2

    assert await depth(vhost, topology.dead_queue(QUEUE.name)) == 0


@pytest.mark.parametrize("body", [b"", b"nonsense", b"{}", b"[{}]", b"\xff\xfe", b"[1]", b"[" * 3000])
async def test_message__that_cannot_be_read__is_dead_lettered_and_the_others_go_on(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any, body: bytes
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, received)
    async with running(bus):
        await send(bus, "ada")
        await bus.publish(topology.EVENTS_EXCHANGE, UserUpdated.type_name(), body)
        await send(bus, "bob")
        await received.until("ada", "bob")
        await eventually(lambda: _has_dead(vhost, 1))


async def test_message__of_a_type_of_the_future__is_passed_over(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any, user_event: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, received)
    body = write_envelopes([]).replace(
        b"[]",
        b'[{"id":"01890a5d-ac96-774b-bcce-b302099a8057","type":"moon.landed.v1","time":"2026-01-01T00:00:00Z","payload":{}}]',
    )
    async with running(bus):
        await bus.publish(topology.EVENTS_EXCHANGE, UserUpdated.type_name(), body)
        await send(bus, "ada")
        await received.until("ada")

    assert await depth(vhost, topology.dead_queue(QUEUE.name)) == 0


async def test_replay__dead_letters__come_again_and_leave_the_dead_queue(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, received)
    cured = False
    received.failing = lambda _: None if cured else ValueError("poison")
    async with running(bus):
        for name in ("ada", "bob"):
            await send(bus, name)
        await eventually(lambda: _has_dead(vhost, 2))
        cured = True

        async with dead_letters(SecretStr(vhost), (QUEUE, topology.DurableQueue("no.such.queue", ()))) as dead:
            assert await dead.replay() == 2
        await received.until("ada", "bob")
    assert await depth(vhost, topology.dead_queue(QUEUE.name)) == 0


async def test_stop__while_a_batch_runs__waits_for_it_and_acks_it(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    entered, go = asyncio.Event(), asyncio.Event()

    async def handler(events: list[Any]) -> None:
        entered.set()
        await go.wait()
        await received(events)

    bus = make_bus(vhost)
    bus.subscribe(QUEUE, handler)
    async with running(bus):
        await send(bus, "ada")
        await entered.wait()
        stopping = asyncio.create_task(bus.stop())
        await eventually(bus._consumers[0]._receiver._finishing.is_set)
        go.set()
        await stopping

    assert received.names == ["ada"]
    assert await depth(vhost, QUEUE.name) == 0


async def test_stop__with_more_waiting__leaves_the_rest_to_the_next(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    entered, go = asyncio.Event(), asyncio.Event()

    async def handler(events: list[Any]) -> None:
        entered.set()
        await go.wait()
        await received(events)

    bus = make_bus(vhost)
    bus.subscribe(QUEUE, handler, max_batch=1)
    names = [f"user-{n}" for n in range(5)]
    async with running(bus):
        for name in names:
            await send(bus, name)
        await entered.wait()
        stopping = asyncio.create_task(bus.stop())
        await eventually(bus._consumers[0]._receiver._finishing.is_set)
        go.set()
        await stopping

    assert received.names == names[:1]
    assert await depth(vhost, QUEUE.name) == 4


async def test_stop__while_a_part_is_unavailable__does_not_wait_for_it(
    make_bus: Any, running: Any, vhost: str, received: Any, send: Any
) -> None:
    bus = make_bus(vhost)
    bus.subscribe(QUEUE, received)
    received.failing = lambda _: UnavailableError()
    async with running(bus):
        await send(bus, "ada")
        await eventually(lambda: received.tries >= 2)
        started = time.monotonic()
        await bus.stop()

    assert time.monotonic() - started < 4
    await eventually(lambda: _has_waiting(vhost, 1))


async def _has_waiting(url: str, count: int) -> bool:
    return await depth(url, QUEUE.name) == count
