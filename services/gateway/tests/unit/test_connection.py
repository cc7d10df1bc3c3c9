"""What is written to one socket, in which order, while it is paused and at its end."""

import asyncio
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from picows import WSCloseCode
from synctalk_gateway.hub import connection as connections
from synctalk_gateway.hub import packets
from synctalk_gateway.hub.connection import Connection

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import Clock, World


@pytest_asyncio.fixture(loop_scope="function")
async def ada(world: "World") -> Connection:
    return world.connect("ada", ready=False)


def written(world: "World", connection: Connection) -> list[str]:
    """The conversations of the removals that a socket got, as names for packets."""
    return [payload["id"] for payload in world.socket(connection).of("conversation:removed")]


def send(connection: Connection, name: str, conversation_id: str | None = None, change_seq: int | None = None) -> None:
    connection.send(packets.conversation_removed(name), conversation_id, change_seq)


async def test_new__is_active_and_neither_ready_nor_partial(ada: Connection) -> None:
    assert ada.active
    assert not (ada.ready or ada.partial or ada.refresh_pending or ada.closed)


async def test_resume__drops_what_the_state_contained_and_keeps_the_rest(world: "World", ada: Connection) -> None:
    ada.pause()
    send(ada, "old", "c", 4)
    send(ada, "same", "c", 5)
    send(ada, "new", "c", 6)
    send(ada, "other", "d", 1)
    send(ada, "unnumbered", "c")
    send(ada, "of no room", None, 1)
    assert written(world, ada) == []
    ada.resume({"c": 5}, [packets.conversation_removed("first")])

    assert written(world, ada) == ["first", "new", "other", "unnumbered", "of no room"]


async def test_resume__zero_is_a_state_too(world: "World", ada: Connection) -> None:
    ada.pause()
    send(ada, "zero", "d", 0)
    ada.resume({"c": 5})
    assert written(world, ada) == ["zero"]


async def test_resume__not_paused__does_nothing(world: "World", ada: Connection) -> None:
    ada.resume({}, [packets.conversation_removed("first")])
    ada.pause()
    send(ada, "waits")
    assert written(world, ada) == []


async def test_resume__another_pause_lasts__what_was_first_stays_first(world: "World", ada: Connection) -> None:
    ada.pause()
    ada.pause()
    send(ada, "waits")
    ada.resume({}, [packets.conversation_removed("first")])
    assert written(world, ada) == []
    ada.resume({})
    assert written(world, ada) == ["first", "waits"]


async def test_start__ready_goes_before_everything_that_waits(world: "World", ada: Connection) -> None:
    ada.pause()
    ada.pause()  # by a new conversation
    send(ada, "waits")
    ada.start(packets.server_draining(0), {})
    assert ada.ready
    assert [name for name, _ in world.written(ada)] == ["server:draining"]
    ada.resume({})
    assert written(world, ada) == ["waits"]


async def test_send__more_than_may_wait__closes_the_socket(
    world: "World", ada: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_BUFFERED", 2)
    ada.pause()
    for _ in range(2):
        send(ada, "waits")
    await asyncio.sleep(0)
    assert not ada.closed
    send(ada, "too much")
    assert not ada.closed  # not under a loop over the room's sockets
    await asyncio.sleep(0)
    assert ada.closed


async def test_disconnect__while_paused__the_reason_goes_out(world: "World", ada: Connection) -> None:
    ada.pause()
    ada.disconnect(packets.conversation_removed("last"))
    assert written(world, ada) == ["last"]
    assert ada.closed


async def test_close__ends_the_transport(ada: Connection) -> None:
    ada.close(WSCloseCode.GOING_AWAY, "bye")
    assert ada.closed


async def test_entered__is_in_the_room_already__returns_at_once(ada: Connection) -> None:
    ada.enter("c")
    assert await ada.entered("c", 0)


async def test_entered__later__wakes_everybody_who_waits(ada: Connection, clock: "Clock") -> None:
    waiting = [asyncio.create_task(ada.entered("c", 2)) for _ in range(2)]
    await clock.settle()
    ada.enter("d")
    await clock.settle()
    assert not any(task.done() for task in waiting)
    ada.enter("c")
    assert await asyncio.gather(*waiting) == [True, True]


async def test_entered__never__returns_after_its_time(ada: Connection, clock: "Clock") -> None:
    waiting = asyncio.create_task(ada.entered("c", 2))
    await clock.settle()
    await clock.advance(1.9)
    assert not waiting.done()
    await clock.advance(0.2)
    assert await waiting is False
