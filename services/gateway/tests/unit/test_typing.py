"""What a gateway publishes of its sockets' typing."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from synctalk_gateway.acks import PendingAck
from synctalk_gateway.hub.connection import Connection, Typed
from synctalk_gateway.hub.room import TypingRefusal
from synctalk_gateway.hub.typing import Place, TypingUsers
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.limits import Limit
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import Clock, World


ADA, BOB, ROOM, THREAD = new_id(), new_id(), new_id(), new_id()


def shown(world: "World", connection: Connection) -> list[bool]:
    return [payload["active"] for payload in world.socket(connection).of("typing")]


async def test_start__is_published_once_until_a_renewal_is_due(world: "World") -> None:
    ada, bob = world.connect(ADA, ROOM), world.connect(BOB, ROOM)
    await world.typing.start(ada, ROOM)
    await eventually(lambda: shown(world, bob) == [True])
    await world.typing.start(ada, ROOM)

    assert len(world.redis.published) == 1
    assert world.api.asked.count("typing") == 1


async def test_start__again_and_again_while_api_is_asked__asks_once_for_each_user(world: "World") -> None:
    ada, bob = world.connect(ADA, ROOM), world.connect(BOB, ROOM)
    for _ in range(100):
        await world.typing.start(ada, ROOM)
        await world.typing.stop(ada, ROOM)
    await world.typing.start(ada, ROOM)
    await world.typing.start(bob, ROOM)
    await eventually(lambda: shown(world, bob) == shown(world, ada) == [True])

    assert world.api.asked.count("typing") == 2


async def test_start__by_who_may_not_write__is_refused_and_not_published(world: "World") -> None:
    ada, bob = world.connect(ADA, ROOM), world.connect(BOB, ROOM)
    world.api.refusals[ADA] = utc_now() + timedelta(hours=1)
    first, at_once = await world.typing.start(ada, ROOM), await world.typing.start(ada, ROOM)
    assert isinstance(first, PendingAck)
    assert isinstance(at_once, PendingAck)
    await eventually(lambda: first.done() and at_once.done())
    later = await world.typing.start(ada, ROOM)

    assert first.result() == at_once.result() == later == {"ok": False, "error": {"code": "forbidden"}}
    assert world.api.asked.count("typing") == 1
    assert shown(world, bob) == []


async def test_start__after_the_member_has_changed__asks_again(world: "World") -> None:
    ada, bob = world.connect(ADA, ROOM), world.connect(BOB, ROOM)
    world.api.refusals[ADA] = utc_now() + timedelta(hours=1)
    refused = await world.typing.start(ada, ROOM)
    assert isinstance(refused, PendingAck)
    await eventually(refused.done)
    world.api.refusals.clear()
    payload = {"conversation_id": ROOM, "user_id": ADA, "role": "member", "change_seq": 1, "muted_until": None}
    world.publish(ROOM, {"event": "member:changed", "user_id": ADA, "change_seq": 1, "payload": payload})
    await world.typing.start(ada, ROOM)

    await eventually(lambda: shown(world, bob) == [True])


async def test_start__after_the_rights_have_changed__asks_again(world: "World") -> None:
    ada, bob = world.connect(ADA, ROOM), world.connect(BOB, ROOM)
    await world.typing.start(ada, ROOM)
    await eventually(lambda: shown(world, bob) == [True])
    await world.typing.stop(ada, ROOM)
    world.api.refusals[ADA] = utc_now() + timedelta(hours=1)
    world.publish(ROOM, {"event": "rights:changed", "user_id": BOB, "payload": {}})
    refused = await world.typing.start(ada, ROOM)
    assert isinstance(refused, PendingAck)
    await eventually(refused.done)

    assert refused.result()["ok"] is False
    assert shown(world, bob) == [True, False]
    assert [name for name, _ in world.written(bob)] == ["typing", "typing"]


async def test_start__once_the_refusal_is_over__is_published(world: "World") -> None:
    ada, bob = world.connect(ADA, ROOM), world.connect(BOB, ROOM)
    world.room(ROOM).typing_refusals[ADA] = TypingRefusal({"code": "forbidden"}, utc_now() - timedelta(seconds=1))
    await world.typing.start(ada, ROOM)

    await eventually(lambda: shown(world, bob) == [True])


async def test_start__after_a_message__is_shown_at_once(world: "World") -> None:
    ada, bob = world.connect(ADA, ROOM), world.connect(BOB, ROOM)
    world.room(ROOM).members_count = 2
    world.room(ROOM).typing_refusals[ADA] = None
    await world.typing.start(ada, ROOM)
    world.typing.end(ada, ROOM)
    await eventually(lambda: shown(world, bob) == [True, False])
    await world.typing.start(ada, ROOM)

    assert shown(world, bob) == [True, False, True]


def places(world: "World", connection: Connection) -> list[tuple[str | None, bool]]:
    return [(payload.get("thread_id"), payload["active"]) for payload in world.socket(connection).of("typing")]


async def test_start__in_a_thread__is_shown_there_and_ends_what_was_typed_elsewhere(world: "World") -> None:
    ada, bob = world.connect(ADA, ROOM), world.connect(BOB, ROOM)
    world.room(ROOM).members_count = 2
    world.room(ROOM).typing_refusals[ADA] = None
    await world.typing.start(ada, ROOM)
    await world.typing.start(ada, ROOM, THREAD)
    await world.typing.start(ada, ROOM, THREAD)  # too soon for a renewal
    await world.typing.stop(ada, ROOM)

    assert places(world, bob) == [(None, True), (None, False), (THREAD, True), (THREAD, False)]
    assert ada.typing == {}


async def test_start__in_another_thread_while_api_is_asked__is_shown_in_the_last_one(world: "World") -> None:
    ada, bob = world.connect(ADA, ROOM), world.connect(BOB, ROOM)
    await world.typing.start(ada, ROOM)
    await world.typing.start(ada, ROOM, THREAD)
    await eventually(lambda: (THREAD, True) in places(world, bob))

    assert places(world, bob)[-1] == (THREAD, True)
    assert world.api.asked.count("typing") == 1


async def test_start__in_ever_other_threads__is_damped(make_world: Callable[..., "World"]) -> None:
    world = make_world(typing_rate_per_s=5)
    ada, bob = world.connect(ADA, ROOM), world.connect(BOB, ROOM)
    world.room(ROOM).members_count = 2
    world.room(ROOM).typing_refusals[ADA] = None
    for _ in range(50):
        await world.typing.start(ada, ROOM, new_id())

    assert len(world.redis.published) <= 12
    assert len(ada.typing) <= 1
    begun = {thread for thread, active in places(world, bob) if active}
    ended = {thread for thread, active in places(world, bob) if not active}
    assert len(begun - ended) <= 1


async def test_start__in_a_large_conversation__is_not_published(make_world: Callable[..., "World"]) -> None:
    world = make_world(max_typing_members=3)
    ada = world.connect(ADA, ROOM)
    world.connect(BOB, ROOM)
    world.api.members_counts[ROOM] = 4
    for _ in range(2):
        await world.typing.start(ada, ROOM)
        await eventually(lambda: world.room(ROOM).members_count == 4 and not ada.typing)

    assert world.redis.published == []
    assert world.api.asked.count("typing") == 1


async def test_start__stopped_before_the_members_were_counted__is_not_published(world: "World") -> None:
    ada = world.connect(ADA, ROOM)
    world.connect(BOB, ROOM)
    await world.typing.start(ada, ROOM)
    await world.typing.stop(ada, ROOM)
    await eventually(lambda: world.room(ROOM).members_count == 2)

    assert [data["events"][0]["payload"]["active"] for _, data in world.redis.published] in ([], [False])


async def test_start__api_is_away__is_published_all_the_same(world: "World") -> None:
    ada, bob = world.connect(ADA, ROOM), world.connect(BOB, ROOM)
    world.api.error = UnavailableError()
    await world.typing.start(ada, ROOM)

    await eventually(lambda: shown(world, bob) == [True])


async def test_start__flapping__is_damped(make_world: Callable[..., "World"]) -> None:
    world = make_world(typing_rate_per_s=5)
    ada, bob = world.connect(ADA, ROOM), world.connect(BOB, ROOM)
    world.room(ROOM).members_count = 2
    world.room(ROOM).typing_refusals[ADA] = None
    for _ in range(50):
        await world.typing.start(ada, ROOM)
        await world.typing.stop(ada, ROOM)

    assert len(world.redis.published) <= 12
    assert shown(world, bob)[-1] is False


async def test_end__redis_is_away__fails_nothing(world: "World") -> None:
    ada = world.connect(ADA, ROOM)
    ada.typing[ROOM] = Typed(None, 1.0)
    world.redis.error = UnavailableError()
    world.typing.end(ada, ROOM)

    await eventually(lambda: not ada.typing)


async def test_start__renewed__lasts_from_the_renewal_on(clock: "Clock") -> None:
    changes: list[bool] = []
    users = TypingUsers(lambda _place, active: changes.append(active), Limit("typing", 5, 5))
    users.start(Place(ADA), "socket", ttl_s=1.0)
    await clock.advance(0.75)
    users.start(Place(ADA), "socket", ttl_s=1.0)
    await clock.advance(0.75)
    assert changes == [True, True]
    await clock.advance(0.5)

    assert changes == [True, True, False]
