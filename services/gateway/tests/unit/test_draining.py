"""A planned stop: every socket is notified, then closed in waves."""

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from synctalk_gateway.actions import draining

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import Clock, World


def engine(*sockets: Any) -> Any:
    return SimpleNamespace(draining=False, sockets=dict(enumerate(sockets)))


async def test_drain__closes_in_waves_over_the_time(world: "World", clock: "Clock") -> None:
    connections = [world.connect("ada") for _ in range(40)]
    made = engine()
    task = asyncio.create_task(draining.drain(world.registry, made, 20.0))
    await clock.settle()
    waits = sorted(world.socket(c).of("server:draining")[0]["reconnect_in_ms"] for c in connections)

    assert made.draining
    assert waits == [500 * position for position in range(40)]
    assert sum(connection.closed for connection in connections) == 2
    await clock.advance(1.0)
    assert sum(connection.closed for connection in connections) == 4
    for _ in range(19):
        await clock.advance(1.0)
    assert all(connection.closed for connection in connections)
    await task


async def test_drain__a_socket_that_is_not_connected_yet__is_closed_at_once(world: "World") -> None:
    lone = world.socket(world.connect("ada"))
    world.registry.connections.clear()
    await draining.drain(world.registry, engine(cast(Any, lone)), 20.0)

    assert lone.ended
