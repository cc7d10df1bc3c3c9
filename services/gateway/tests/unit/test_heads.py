"""Rooms are compared with api: what was lost before a silence is noticed, what is only on its way is waited for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from synctalk_gateway.actions import heads
from synctalk_runtime.background import Backoff, Loop
from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import World

Message = Callable[..., dict[str, Any]]
Compare = Callable[["World"], Awaitable[None]]


@pytest_asyncio.fixture(loop_scope="function")
async def compare() -> AsyncIterator[Compare]:
    """Compares a world's rooms, round after round, until the test ends."""
    loops: list[Loop] = []

    async def begin(world: "World") -> None:
        loops.append(Loop("heads", world.heads.compare, backoff=Backoff(0.01, 0.01)))
        await loops[-1].start()

    yield begin
    for loop in loops:
        await loop.stop()


def rounds(world: "World") -> int:
    return world.api.asked.count("heads")


async def test_compare__the_last_event_was_lost__its_sockets_sync(
    world: "World", message: Message, compare: Compare
) -> None:
    ada = world.connect("ada", "c")
    world.api.change_seqs["c"] = 1
    await compare(world)
    await eventually(lambda: world.socket(ada).of("sync:required") == [{"conversation_ids": ["c"]}])
    await eventually(lambda: rounds(world) > 3)

    assert world.room("c").sequencer.change_seq == 1
    assert len(world.socket(ada).of("sync:required")) == 1


async def test_compare__the_event_is_on_its_way__is_no_loss(
    make_world: Callable[..., "World"], message: Message, compare: Compare
) -> None:
    world = make_world(heads_grace_s=0.3, heads_interval_s=0.02)
    ada = world.connect("ada", "c")
    world.api.change_seqs["c"] = 1
    await compare(world)
    await eventually(lambda: world.room("c").check_running)
    world.publish("c", message(1))
    await eventually(lambda: not world.room("c").check_running)

    assert world.numbers(ada) == [1]
    assert world.socket(ada).of("sync:required") == []


@pytest.mark.parametrize("error", [UnavailableError(), NotFoundError(), KeyError("items")])
async def test_compare__api_is_away__goes_on_when_it_is_back(
    world: "World", compare: Compare, error: Exception
) -> None:
    ada = world.connect("ada", "c")
    world.api.change_seqs["c"], world.api.error = 1, error
    await compare(world)
    await eventually(lambda: rounds(world) > 2)
    world.api.error = None

    await eventually(lambda: world.socket(ada).of("sync:required"))
    assert not world.socket(ada).ended


async def test_compare__no_rooms__asks_nothing(world: "World") -> None:
    world.connect("ada")
    await world.heads.compare()

    assert world.api.asked == []


async def test_compare__many_rooms__asks_in_portions(world: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "PORTION", 10)
    world.connect("ada", *(f"c{number}" for number in range(25)))
    await world.heads.compare()

    assert rounds(world) == 3


async def test_compare__a_conversation_beyond_the_joined_wakes_up__is_joined_and_synced(
    make_world: Callable[..., "World"], message: Message, compare: Compare
) -> None:
    world = make_world(ready_conversations=2)
    ada = world.connect("ada", "c", "d")
    ada.partial = True
    world.api.members["e"], world.api.change_seqs["e"] = {"ada"}, 5
    world.api.order = ["c", "d", "e"]
    await compare(world)
    await eventually(lambda: rounds(world) > 2)
    assert "e" not in ada.rooms
    world.api.order = ["e", "c", "d"]
    world.api.change_seqs["e"] = 6
    await eventually(lambda: "e" in ada.rooms and ada.buffer is None)
    world.publish("e", message(7))

    assert world.written(ada)[0] == ("sync:required", {"conversation_ids": ["e"]})
    assert world.numbers(ada) == [7]


async def test_newest__more_woke_up_than_are_looked_at__looks_further(
    make_world: Callable[..., "World"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "NEWEST", 2)
    world = make_world(ready_conversations=10)
    ada = world.connect("ada", "c")
    ada.partial = True
    for number in range(5):
        world.api.members[f"n{number}"], world.api.change_seqs[f"n{number}"] = {"ada"}, 1
    world.api.order = [f"n{number}" for number in range(5)]
    await world.heads.compare()

    assert {f"n{number}" for number in range(5)} < ada.rooms


async def test_compare__sockets_that_have_everything__are_not_looked_for(world: "World") -> None:
    world.connect("ada", "c")
    await world.heads.compare()

    assert world.api.asked == ["heads"]
    await asyncio.sleep(0)
