"""Command queues over a real broker: they come in batches; what is not taken in time is gone."""

import asyncio
import time
from functools import partial
from itertools import count
from typing import Any

import pytest
from aio_pika.exceptions import ChannelClosed
from synctalk_contracts import topology
from synctalk_runtime import consumer
from synctalk_runtime.amqp import Delivery
from synctalk_runtime.queues import COMMANDS_BATCH
from synctalk_runtime.receiving import Receiver
from synctalk_testkit import eventually as waiting
from synctalk_testkit.queues import depth
from synctalk_testkit.relay import relay_to

QUEUE = topology.command_queue("test")

eventually = partial(waiting.eventually, timeout=30)


async def test_serve__commands__come_in_batches_and_are_acked(make_bus: Any, running: Any, vhost: str) -> None:
    batches: list[list[bytes]] = []

    async def handler(bodies: list[bytes]) -> None:
        batches.append(bodies)

    server, client = make_bus(vhost), make_bus(vhost)
    server.serve(lambda: "test", handler, ttl_ms=5000, max_length=1000)
    async with running(server, client):
        for n in range(200):  # in one turn of the loop
            client.send_command(QUEUE, b"%d" % n, ttl_ms=5000)
        await eventually(lambda: sum(map(len, batches)) == 200)

    assert [int(body) for batch in batches for body in batch] == list(range(200))
    assert max(map(len, batches)) > 1


async def test_serve__connection_lost__takes_commands_in_another_name(make_bus: Any, running: Any, vhost: str) -> None:
    taken: list[bytes] = []
    names = (f"test-{number}" for number in count(1))

    async def handler(bodies: list[bytes]) -> None:
        taken.extend(bodies)

    client = make_bus(vhost)
    async with relay_to(vhost) as relay:
        server = make_bus(relay.url)
        serving = server.serve(lambda: next(names), handler, ttl_ms=5000, max_length=1000)
        async with running(client, server):
            before = serving.owner
            relay.cut()
            await eventually(lambda: serving.owner is None)
            relay.mend()
            after = await eventually(lambda: serving.owner)

            assert before == "test-1"
            assert after != before
            client.send_command(topology.command_queue(after), b"well", ttl_ms=5000)
            await eventually(lambda: taken == [b"well"])


async def test_serve__handler_has_a_bug__the_command_is_dropped_and_the_next_is_served(
    make_bus: Any, running: Any, vhost: str
) -> None:
    served: list[bytes] = []
    poisoned: list[bool] = []

    async def handler(bodies: list[bytes]) -> None:
        if b"poison" in bodies:
            poisoned.append(True)
            raise ValueError("a bug")
        served.extend(bodies)

    bus = make_bus(vhost)
    bus.serve(lambda: "test", handler, ttl_ms=5000, max_length=1000)
    async with running(bus):
        bus.send_command(QUEUE, b"poison", ttl_ms=5000)
        await eventually(lambda: poisoned)
        bus.send_command(QUEUE, b"well", ttl_ms=5000)
        await eventually(lambda: served == [b"well"])


async def test_serve__not_taken_in_time__the_command_is_gone(make_bus: Any, running: Any, vhost: str) -> None:
    taken: list[bytes] = []
    going_on = asyncio.Event()

    async def handler(bodies: list[bytes]) -> None:
        taken.extend(bodies)
        await going_on.wait()

    bus = make_bus(vhost)
    bus.serve(lambda: "test", handler, ttl_ms=5000, max_length=1000)
    async with running(bus):
        for n in range(COMMANDS_BATCH):  # as many as are fetched: the next one stays on the broker
            bus.send_command(QUEUE, b"%d" % n, ttl_ms=5000)
        await eventually(lambda: taken)
        bus.send_command(QUEUE, b"late", ttl_ms=1)
        bus.send_command(QUEUE, b"well", ttl_ms=5000)
        sent_at = time.monotonic()
        await eventually(lambda: time.monotonic() - sent_at > 0.2)
        going_on.set()
        await eventually(lambda: b"well" in taken)

    assert b"late" not in taken


async def test_stop__the_command_queue_is_gone(make_bus: Any, running: Any, vhost: str) -> None:
    bus = make_bus(vhost)
    bus.serve(lambda: "test", ignore, ttl_ms=200, max_length=1000)
    async with running(bus):
        assert await is_declared(vhost)
    await eventually(lambda: is_gone(vhost))


async def ignore(_: list[bytes]) -> None:
    return None


async def is_gone(url: str) -> bool:
    return not await is_declared(url)


async def is_declared(url: str) -> bool:
    """Return whether there is the queue, which its consumer alone may use."""
    try:
        return await depth(url, QUEUE) >= 0
    except ChannelClosed:
        return True


async def test_serve__fewer_than_are_acked_together__are_acked_within_a_round_of_the_watch(
    make_bus: Any, running: Any, vhost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "WATCH_S", 0.1)
    received: list[Delivery] = []
    on_message = Receiver._on_message

    def noting(receiver: Receiver, message: Delivery) -> None:
        received.append(message)
        on_message(receiver, message)

    monkeypatch.setattr(Receiver, "_on_message", noting)

    async def handler(bodies: list[bytes]) -> None:
        return

    server, client = make_bus(vhost), make_bus(vhost)
    server.serve(lambda: "test", handler, ttl_ms=5000, max_length=1000)
    async with running(server, client):
        for _ in range(3):
            client.send_command(QUEUE, b"one", ttl_ms=5000)
        await eventually(lambda: len(received) == 3 and received[-1].processed)
    assert [message.processed for message in received] == [False, False, True]


async def test_serve__more_than_the_broker_sends_without_an_ack__all_come(
    make_bus: Any, running: Any, vhost: str
) -> None:
    count_of: list[int] = []

    async def handler(bodies: list[bytes]) -> None:
        count_of.append(len(bodies))

    server, client = make_bus(vhost), make_bus(vhost)
    server.serve(lambda: "test", handler, ttl_ms=5000, max_length=1000)
    async with running(server, client):
        for sent in range(3 * COMMANDS_BATCH):
            client.send_command(QUEUE, b"one", ttl_ms=5000)
            await eventually(partial(lambda all_of: sum(count_of) == all_of, sent + 1))
