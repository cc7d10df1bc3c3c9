"""`user:updated`: once to each socket that may see the user, however many channels it came on."""

from typing import TYPE_CHECKING, Any

import orjson
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import World


def user(display_name: str) -> dict[str, Any]:
    return {"id": "ada", "username": "ada", "display_name": display_name, "avatar_url": None}


def publish(world: "World", display_name: str, *channels: str) -> None:
    for channel in channels:
        world.receive(channel, orjson.dumps({"event": "user:updated", "user": user(display_name)}))


async def test_profile__on_many_channels__comes_once_to_each_socket(world: "World") -> None:
    ada, bob = world.connect("ada", "c", "d"), world.connect("bob", "c", "d")
    cy, eve = world.connect("cy", "d"), world.connect("eve", "e")
    publish(world, "Ada L.", "conversation:c", "conversation:d", "user:ada", "conversation:elsewhere")
    await eventually(lambda: world.written(ada))

    for connection in (ada, bob, cy):
        assert world.written(connection) == [("user:updated", user("Ada L."))]
    assert world.written(eve) == []


async def test_profile__changed_twice_at_once__the_latest_wins(world: "World") -> None:
    ada = world.connect("ada", "c")
    publish(world, "Ada L.", "conversation:c")
    publish(world, "Ada K.", "conversation:c")
    await eventually(lambda: world.written(ada))

    assert world.written(ada) == [("user:updated", user("Ada K."))]


async def test_profile__room_paused__waits_until_it_is_known_who_is_in_it(world: "World") -> None:
    ada, bob = world.connect("ada", "c"), world.connect("bob", "c")
    room = world.room("c")
    epoch = room.sequencer.pause()
    publish(world, "Ada L.", "conversation:c")
    await eventually(lambda: world.written(ada))
    assert world.written(bob) == []
    room.sequencer.resume(0, epoch)
    await eventually(lambda: world.written(bob))

    assert len(world.written(ada)) == len(world.written(bob)) == 1
