"""Who is where: indexes and channels follow the connections exactly."""

import asyncio
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY
from synctalk_contracts import topology
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import World


async def test_add_and_remove__leave_nothing(world: "World") -> None:
    ada, beside = world.connect("ada", "c", "d"), world.connect("ada", "c")
    channels = {topology.user_channel("ada"), *(topology.conversation_channel(c) for c in "cd")}
    assert world.feed.channels == channels
    assert REGISTRY.get_sample_value("gateway_connections") == REGISTRY.get_sample_value("gateway_rooms") == 2
    world.registry.remove(ada)
    world.registry.remove(ada)

    assert world.feed.channels == channels - {topology.conversation_channel("d")}
    assert set(world.registry.rooms) == {"c"}
    assert world.registry.by_user == {"ada": {beside}}
    assert world.registry.by_session == {beside.session_id: {beside}}
    world.registry.remove(beside)
    assert world.feed.channels == set()
    assert not (world.registry.by_user or world.registry.by_session or world.registry.connections)
    assert REGISTRY.get_sample_value("gateway_connections") == REGISTRY.get_sample_value("gateway_rooms") == 0


async def test_remove__stops_the_timer_of_its_token(world: "World") -> None:
    ada = world.connect("ada")
    ran: list[bool] = []
    ada.timer = asyncio.get_running_loop().call_later(0, ran.append, True)
    world.registry.remove(ada)
    await asyncio.sleep(0.01)

    assert ran == []


async def test_is_in__only_who_joined(world: "World") -> None:
    ada, bob = world.connect("ada", "c"), world.connect("bob")
    assert world.registry.is_in(ada, "c")
    assert not world.registry.is_in(bob, "c")
    assert not world.registry.is_in(ada, "d")
    assert [room.id for room in world.registry.rooms_of(ada)] == ["c"]


async def test_room__its_last_socket_is_evicted__is_closed(world: "World") -> None:
    ada = world.connect("ada", "c")
    room = world.room("c")
    room.evict(ada)
    room.evict(ada)

    assert world.written(ada) == [("conversation:removed", {"id": "c"})]
    assert world.registry.rooms == {}
    assert topology.conversation_channel("c") not in world.feed.channels


async def test_room__its_last_member_is_removed_by_an_event__is_closed(world: "World") -> None:
    world.connect("ada", "c")
    gone = {"conversation_id": "c", "user_id": "ada", "role": None, "change_seq": 1}
    world.publish("c", {"event": "member:changed", "user_id": "ada", "change_seq": 1, "payload": gone})

    await eventually(lambda: world.registry.rooms == {})


async def test_room__its_last_member_is_removed_by_an_event_that_came_early__is_closed(world: "World") -> None:
    ada = world.connect("ada", "c")
    gone = {"conversation_id": "c", "user_id": "ada", "role": None, "change_seq": 2}
    world.publish("c", {"event": "member:changed", "user_id": "ada", "change_seq": 2, "payload": gone})
    epoch = world.room("c").sequencer.pause()
    world.room("c").sequencer.resume(1, epoch)

    assert world.written(ada) == [("conversation:removed", {"id": "c"})]
    await eventually(lambda: world.registry.rooms == {})
