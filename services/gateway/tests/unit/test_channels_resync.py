"""What one primary's channels may have missed is synced, and nothing of the other sockets and rooms."""

from typing import TYPE_CHECKING

import pytest
from synctalk_contracts import topology
from synctalk_gateway.actions.channels_resync import ChannelsResync
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import World


@pytest.fixture
def channels_resync(world: "World") -> ChannelsResync:
    rooms = world.resync._rooms
    return ChannelsResync(world.registry, rooms, world.resync, world.subscriptions)


async def test_resync__of_one_room__no_other_is_asked_to_sync(world: "World", channels_resync: ChannelsResync) -> None:
    ada, bob = world.connect("ada", "lost", "other"), world.connect("bob", "other")
    await channels_resync.resync([topology.conversation_channel("lost"), topology.conversation_channel("closed")])
    await eventually(lambda: world.socket(ada).of("sync:required"))

    assert world.written(ada) == [("sync:required", {"conversation_ids": ["lost"]})]
    assert world.written(bob) == []


async def test_resync__of_a_users_channel__joins_what_came_meanwhile(
    world: "World", channels_resync: ChannelsResync
) -> None:
    ada, bob = world.connect("ada", "c"), world.connect("bob", "c")
    world.api.members["new"], world.api.change_seqs["new"] = {"ada", "bob"}, 7
    await channels_resync.resync([topology.user_channel("ada"), topology.user_channel("gone")])

    assert world.registry.is_in(ada, "new")
    assert not world.registry.is_in(bob, "new")
    assert world.room("new").sequencer.change_seq == 7
    assert world.socket(ada).of("sync:required") == []


async def test_resync__of_watched_presence__sends_how_they_are_now(
    world: "World", channels_resync: ChannelsResync
) -> None:
    ada, cy = world.connect("ada"), world.connect("cy")
    await world.subscriptions.subscribe(ada, ["bob"])
    await channels_resync.resync([topology.presence_channel("bob", in_cluster=True)])

    assert [payload["user_id"] for payload in world.socket(ada).of("presence:changed")] == ["bob"]
    assert world.written(cy) == []
