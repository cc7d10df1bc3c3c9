"""What happens when FCM refuses, delays or does not answer."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.notifier.tests.harness import NotifierUser, Rig


async def pushed_to(rig: Rig, prefix: str) -> tuple[str, NotifierUser]:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device(f"{prefix}{bob.id}")
    await (await rig.conversation(ada, bob)).write(ada)
    return token, bob


async def test_unregistered__the_device_goes(rig: Rig) -> None:
    token, bob = await pushed_to(rig, "unregistered-")

    async def gone() -> bool:
        return bool((await bob.call("GET", "/v1/devices")).body["items"] == [])

    await eventually(gone)
    assert [received.answered for received in rig.pushed(token)] == [404]


async def test_unavailable__is_tried_again_until_it_comes_once(rig: Rig) -> None:
    token, _ = await pushed_to(rig, "unavailable-")
    await rig.pushes(token, 1)
    await rig.settled()
    assert [received.answered for received in rig.pushed(token)] == [503, 503, 200]


async def test_unavailable__what_waits_behind__comes_after_it_in_order(rig: Rig) -> None:
    ada, bob = rig.user(), rig.user()
    token = await bob.add_device(f"unavailable-{bob.id}")
    await (await rig.conversation(ada, bob)).write(ada, times=3)
    await rig.pushes(token, 3)
    await rig.settled()
    seen = [(one.answered, one.message["data"]["seq"]) for one in rig.pushed(token)]
    assert seen == [(503, "1"), (503, "1"), (200, "1"), (200, "2"), (200, "3")]


async def test_quota__is_tried_again_not_sooner_than_asked(rig: Rig) -> None:
    token, _ = await pushed_to(rig, "quota-")
    await rig.pushes(token, 1)
    received = rig.pushed(token)
    assert [one.answered for one in received] == [429, 429, 200]
    times = [one.received_at for one in received]
    assert min(later - earlier for earlier, later in pairwise(times)) >= timedelta(seconds=1)


async def test_slow__comes_once_and_holds_up_nobody(rig: Rig) -> None:
    ada, bob, cas = rig.user(), rig.user(), rig.user()
    slow, quick = await bob.add_device(f"slow-{bob.id}"), await cas.add_device()
    conversation = await rig.conversation(ada, bob, cas)
    await conversation.write(ada, times=3)
    await rig.pushes(quick, 3)
    assert rig.pushed(slow) == []
    await rig.pushes(slow, 3)
    await rig.settled()
    assert [one.message["data"]["seq"] for one in rig.pushed(slow)] == ["1", "2", "3"]


async def test_stand_in_restarted__its_tokens_forgotten__pushes_go_on(rig: Rig) -> None:
    rig.fcm.state.tokens._expires_at.clear()
    token, _ = await pushed_to(rig, "after-restart-")
    await rig.pushes(token, 1)
