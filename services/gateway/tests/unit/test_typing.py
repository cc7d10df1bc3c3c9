"""What a gateway publishes of its sockets' typing."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.typing import TypingUsers
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import new_id
from synctalk_runtime.limits import Limit
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.gateway.tests.unit.conftest import Clock, World


ADA, BOB, ROOM = new_id(), new_id(), new_id()


def shown(world: "World", connection: Connection) -> list[bool]:
    return [payload["active"] for payload in world.socket(connection).of("typing")]


async def test_start__is_published_once_until_a_renewal_is_due(world: "World") -> None:
    ada, bob = world.connect(ADA, ROOM), world.connect(BOB, ROOM)
    await world.typing.start(ada, ROOM)
    await eventually(lambda: shown(world, bob) == [True])
    await world.typing.start(ada, ROOM)

    assert len(world.redis.published) == 1
    assert world.api.asked.count("members_count") == 1


async def test_start__again_and_again_while_the_members_are_counted__asks_api_once(world: "World") -> None:
    ada, bob = world.connect(ADA, ROOM), world.connect(BOB, ROOM)
    for _ in range(100):
        await world.typing.start(ada, ROOM)
        await world.typing.stop(ada, ROOM)
    await world.typing.start(ada, ROOM)
    await world.typing.start(bob, ROOM)
    await eventually(lambda: shown(world, bob) == shown(world, ada) == [True])

    assert world.api.asked.count("members_count") == 1


async def test_start__after_a_message__is_shown_at_once(world: "World") -> None:
    ada, bob = world.connect(ADA, ROOM), world.connect(BOB, ROOM)
    world.room(ROOM).members_count = 2
    await world.typing.start(ada, ROOM)
    world.typing.end(ada, ROOM)
    await eventually(lambda: shown(world, bob) == [True, False])
    await world.typing.start(ada, ROOM)

    assert shown(world, bob) == [True, False, True]


async def test_start__in_a_large_conversation__is_not_published(make_world: Callable[..., "World"]) -> None:
    world = make_world(max_typing_members=3)
    ada = world.connect(ADA, ROOM)
    world.connect(BOB, ROOM)
    world.api.members_counts[ROOM] = 4
    for _ in range(2):
        await world.typing.start(ada, ROOM)
        await eventually(lambda: world.room(ROOM).members_count == 4 and not ada.typing_published_at)

    assert world.redis.published == []
    assert world.api.asked.count("members_count") == 1


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
    for _ in range(50):
        await world.typing.start(ada, ROOM)
        await world.typing.stop(ada, ROOM)

    assert len(world.redis.published) <= 12
    assert shown(world, bob)[-1] is False


async def test_end__redis_is_away__fails_nothing(world: "World") -> None:
    ada = world.connect(ADA, ROOM)
    ada.typing_published_at[ROOM] = 1.0
    world.redis.error = UnavailableError()
    world.typing.end(ada, ROOM)

    await eventually(lambda: not ada.typing_published_at)


async def test_start__renewed__lasts_from_the_renewal_on(clock: "Clock") -> None:
    changes: list[bool] = []
    users = TypingUsers(lambda _, active: changes.append(active), Limit("typing", 5, 5))
    users.start(ADA, "socket", ttl_s=1.0)
    await clock.advance(0.75)
    users.start(ADA, "socket", ttl_s=1.0)
    await clock.advance(0.75)
    assert changes == [True, True]
    await clock.advance(0.5)

    assert changes == [True, True, False]
