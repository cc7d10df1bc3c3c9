"""Users who came into a conversation and whose publish was lost join it all the same, after a grace."""

from typing import TYPE_CHECKING

from synctalk_gateway.actions.missed_memberships import GRACE_S
from synctalk_runtime.errors import UnavailableError

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import Clock, World


async def test_check__not_in_the_room_after_the_grace__joins(world: "World", clock: "Clock") -> None:
    ada = world.connect("ada")
    world.api.members["c"], world.api.change_seqs["c"] = {"ada"}, 3
    world.missed.check_soon("c", 3, ["ada", "elsewhere"])
    await clock.settle()
    await clock.advance(GRACE_S / 2)
    assert "c" not in ada.rooms
    await clock.advance(GRACE_S)
    await clock.advance(0.1)

    assert "c" in ada.rooms
    assert len(world.socket(ada).of("conversation:new")) == 1


async def test_check__in_the_room_already__asks_nothing(world: "World", clock: "Clock") -> None:
    world.connect("ada", "c")
    world.missed.check_soon("c", 3, ["ada"])
    await clock.settle()
    await clock.advance(GRACE_S + 0.1)

    assert world.api.asked == []


async def test_check__nobody_is_here__waits_for_nothing(world: "World") -> None:
    world.missed.check_soon("c", 3, ["ada"])
    assert len(world.tasks) == 0


async def test_check__api_is_away__is_left_to_the_comparison(world: "World", clock: "Clock") -> None:
    ada = world.connect("ada")
    world.api.error = UnavailableError()
    world.missed.check_soon("c", 3, ["ada"])
    await clock.settle()
    await clock.advance(GRACE_S + 0.1)

    assert ada.partial
    assert "c" not in ada.rooms
