"""Groups of thousands, of whom few are connected: these see every change, in order."""

from typing import Any

from synctalk_systemtest.absent import add_absent
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import Users
from synctalk_testkit.eventually import eventually
from synctalk_testkit.follower import Follower, follow

MEMBERS = 2_000


async def test_change__of_a_large_group__comes_as_its_number_and_then_as_it_is_to_each(
    users: Users, stack: RunningStack
) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = (await ada.group_with(bob))["id"]
    await add_absent(stack, group, MEMBERS - 2)
    message = await ada.say(group, "hello")
    live = await bob.connect()

    await ada.patch(f"/v1/conversations/{group}", {"title": "Renamed"})
    updated = await live.wait_for("conversation:updated", lambda payload: payload["title"] == "Renamed")

    (hidden,) = live.of("change:hidden")
    assert hidden == {"conversation_id": group, "change_seq": message["change_seq"] + 1}
    assert updated == await bob.get(f"/v1/conversations/{group}")
    assert (updated["unread_count"], updated["members_count"]) == (1, MEMBERS)


async def test_changes__of_a_large_group_that_is_talked_in__leave_everybody_with_the_same(
    users: Users, stack: RunningStack
) -> None:
    ada, bob, cleo = await users.register_all("Ada", "Bob", "Cleo")
    group = (await ada.group_with(bob, cleo))["id"]
    await add_absent(stack, group, MEMBERS - 3)
    followers = [await follow(user) for user in (ada, bob, cleo)]
    path = f"/v1/conversations/{group}"

    for number in range(10):
        message = await bob.say(group, f"{number}")
        await ada.patch(path, {"title": f"T{number}"})
        await ada.put(f"{path}/messages/{message['id']}/pin")
    messages = (await ada.get(f"{path}/messages"))["items"]

    for follower, user in zip(followers, (ada, bob, cleo), strict=True):
        await _has_all(follower, group, messages, await user.get(path))
        assert follower.strict_faults == []


async def _has_all(follower: Follower, group: str, messages: list[Any], conversation: Any) -> None:
    await eventually(lambda: follower.states(group) == messages, 15)
    await eventually(lambda: follower.copies[group].conversation == conversation, 15)
