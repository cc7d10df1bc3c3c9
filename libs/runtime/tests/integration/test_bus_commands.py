"""Command queues over a real broker: one serves, in batches; what nobody serves in time is gone."""

import asyncio
from functools import partial
from typing import Any

from synctalk_testkit import eventually as waiting
from synctalk_testkit.queues import depth, is_empty

eventually = partial(waiting.eventually, timeout=30)


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
    assert await depth(vhost, "test.commands.0") == 0


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
        await eventually(lambda: is_empty(vhost, "test.commands.0"))
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
        await eventually(lambda: is_empty(vhost, "test.commands.0"))
