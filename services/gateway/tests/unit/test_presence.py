"""Presence subscriptions of a socket: whose changes it gets, and when that is asked again."""

import asyncio
from typing import TYPE_CHECKING

import orjson
import pytest
from synctalk_contracts import topology
from synctalk_runtime.errors import InvalidError, UnavailableError
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.gateway.tests.unit.conftest import World


def change(world: "World", user_id: str, **event: bool) -> None:
    """Publish a change of that user's presence."""
    data = {"shown": {"user_id": user_id, "as": "shown"}, "own": {"user_id": user_id, "as": "own"}, **event}
    world.receive(topology.presence_channel(user_id), orjson.dumps(data))


async def test_subscribe__returns_the_states_and_gets_the_changes(world: "World") -> None:
    ada = world.connect("ada")
    items = await world.subscriptions.subscribe(ada, ["bob", "cy", "bob"])
    change(world, "bob")
    change(world, "dan")

    assert [item["user_id"] for item in items] == ["bob", "cy", "bob"]
    assert ada.watching == {"bob", "cy"}
    assert world.written(ada) == [("presence:changed", {"user_id": "bob", "as": "shown"})]


async def test_subscribe__to_oneself__gets_the_own_view(world: "World") -> None:
    ada = world.connect("ada")
    await world.subscriptions.subscribe(ada, ["ada"])
    change(world, "ada", shown_changed=False)
    assert world.written(ada) == [("presence:changed", {"user_id": "ada", "as": "own"})]


async def test_change__only_of_the_own_view__is_not_sent_to_others(world: "World") -> None:
    ada = world.connect("ada")
    await world.subscriptions.subscribe(ada, ["bob"])
    change(world, "bob", shown_changed=False)
    assert world.written(ada) == []


def offline(world: "World", user_id: str, visible: str) -> None:
    """Publish that the user left, as presence does it for who is in the audience."""
    shown = {"user_id": user_id, "last_seen_at": "then" if visible == "everyone" else None}
    event = {"shown": shown, "own": shown, "last_seen_visible": visible}
    world.receive(
        topology.presence_channel(user_id),
        orjson.dumps(event | {"last_seen_at": None if visible == "nobody" else "then"}),
    )


@pytest.mark.parametrize(
    ("visible", "of_viewer", "direct", "sees"),
    [
        ("everyone", "everyone", False, True),
        ("contacts", "everyone", False, False),
        ("contacts", "everyone", True, True),
        ("nobody", "everyone", True, False),
        ("everyone", "contacts", False, False),
        ("everyone", "nobody", True, False),
    ],
)
async def test_change__last_seen__is_for_who_may_see_it(
    world: "World", visible: str, of_viewer: str, direct: bool, sees: bool
) -> None:
    ada = world.connect("ada")
    world.presence.direct = {"bob"} if direct else set()
    await world.subscriptions.subscribe(ada, ["bob"])
    world.receive(
        topology.presence_channel("ada"),
        orjson.dumps({"shown": {}, "own": {}, "shown_changed": False, "last_seen_visible": of_viewer}),
    )
    offline(world, "bob", visible)

    assert world.written(ada) == [("presence:changed", {"user_id": "bob", "last_seen_at": "then" if sees else None})]


async def test_close__of_a_socket_that_subscribed__leaves_no_channel(world: "World") -> None:
    ada = world.connect("ada")
    before = set(world.feed.channels)
    await world.subscriptions.subscribe(ada, ["bob"])
    world.watchers.remove(ada)
    assert set(world.feed.channels) == before


async def test_subscribe__to_an_unrelated_user__gets_no_changes_and_is_remembered(world: "World") -> None:
    ada, world.presence.unrelated = world.connect("ada"), {"eve"}
    await world.subscriptions.subscribe(ada, ["bob", "eve"])
    change(world, "eve")

    assert (ada.watching, ada.unrelated) == ({"bob"}, {"eve"})
    assert world.written(ada) == []
    assert topology.presence_channel("eve") not in world.feed.channels
    world.presence.unrelated = set()
    await world.subscriptions.subscribe(ada, ["eve"])
    assert (ada.watching, ada.unrelated) == ({"bob", "eve"}, set())


async def test_subscribe__presence_is_away__keeps_what_was_and_adds_nothing(world: "World") -> None:
    ada = world.connect("ada")
    await world.subscriptions.subscribe(ada, ["bob"])
    world.presence.error = UnavailableError()
    with pytest.raises(UnavailableError):
        await world.subscriptions.subscribe(ada, ["bob", "cy"])

    assert ada.watching == {"bob"}


async def test_subscribe__more_than_one_socket_may__is_refused(make_world: "Callable[..., World]") -> None:
    world = make_world(max_presence_subscriptions=2)
    ada = world.connect("ada")
    await world.subscriptions.subscribe(ada, ["a", "b"])
    with pytest.raises(InvalidError):
        await world.subscriptions.subscribe(ada, ["c"])


async def test_unsubscribe__the_last_one__leaves_the_channel(world: "World") -> None:
    ada, bob = world.connect("ada"), world.connect("bob")
    for connection in (ada, bob):
        await world.subscriptions.subscribe(connection, ["cy"])
    world.subscriptions.unsubscribe(ada, ["cy"])
    assert topology.presence_channel("cy") in world.feed.channels
    world.watchers.remove(bob)

    assert topology.presence_channel("cy") not in world.feed.channels
    assert set(world.watchers.by_user) == {"ada"}
    world.watchers.remove(ada)
    assert world.watchers.by_user == {}


async def test_refresh__of_one_moment__is_asked_once_and_sends_who_became_visible(world: "World") -> None:
    ada, world.presence.unrelated = world.connect("ada"), {"eve"}
    await world.subscriptions.subscribe(ada, ["bob", "eve"])
    world.presence.unrelated = {"bob"}
    for _ in range(3):
        world.subscriptions.refresh_soon(ada)
    await eventually(lambda: ada.watching == {"eve"})

    assert len(world.presence.asked) == 2
    assert not ada.refresh_pending
    assert {payload["user_id"]: payload["status"] for _, payload in world.written(ada)} == {
        "eve": "online",
        "bob": "offline",
    }


async def test_refresh__presence_is_away__sends_nothing_more_of_them(world: "World") -> None:
    ada = world.connect("ada")
    await world.subscriptions.subscribe(ada, ["bob"])
    world.presence.error = UnavailableError()
    await world.subscriptions.refresh(ada)
    change(world, "bob")

    assert ada.watching == set()
    assert world.written(ada) == []


@pytest.mark.parametrize("closed", [False, True])
async def test_refresh__nothing_to_ask__asks_nothing(world: "World", closed: bool) -> None:
    ada = world.connect("ada")
    if closed:
        await world.subscriptions.subscribe(ada, ["bob"])
        ada.socket.end()
    asked = len(world.presence.asked)
    await world.subscriptions.refresh(ada)

    assert len(world.presence.asked) == asked
    await asyncio.sleep(0)


async def test_contacts_changed__what_the_user_may_not_see_any_longer_is_sent_once_and_no_more(world: "World") -> None:
    ada = world.connect("ada")
    await world.subscriptions.subscribe(ada, ["bob", "cy"])
    world.presence.unrelated = {"bob"}
    world.receive(topology.user_channel("ada"), orjson.dumps({"event": "contacts:changed"}))
    await eventually(lambda: ada.unrelated == {"bob"})
    change(world, "bob")

    assert [payload["user_id"] for _, payload in world.written(ada)] == ["bob"]
