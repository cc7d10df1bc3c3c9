"""What one call has answered is true for the next, whichever service takes it."""

import asyncio

import redis.asyncio
from synctalk_backing.redis import redis_url
from synctalk_local.stack import stack_credentials
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import LiveSocket, Users, new_name
from synctalk_testkit.eventually import eventually

TIMES = 5


async def test_registered__is_added_written_to_and_found_at_once(users: Users) -> None:
    ada = await users.register("Ada")
    for _ in range(TIMES):
        bob = await users.register("Bob")
        group = await ada.group_with(bob)
        assert (await ada.get(f"/v1/users/{bob.id}"))["username"] == bob.username
        assert [user["id"] for user in (await ada.get(f"/v1/users?ids={bob.id}"))["items"]] == [bob.id]
        assert (await ada.say(group["id"], f"@{bob.username}"))["mentions"] == [bob.id]
        found = await ada.get(f"/v1/users?search={bob.username}")
        assert [user["id"] for user in found["items"]] == [bob.id]
        assert (await bob.get(f"/v1/conversations/{group['id']}"))["unread_count"] == 1


async def test_registered__connects_and_serves_every_service_at_once(users: Users) -> None:
    ada = await users.register("Ada")
    live = await ada.connect()
    await live.done("presence:set", {"status": "away"})
    await ada.put("/v1/devices/phone", {"platform": "web", "token": new_name()})
    await ada.patch("/v1/users/me", {"display_name": "Ada L."})

    assert live.of("ready")[0]["conversations"] == []
    assert (await ada.get(f"/v1/presence?user_ids={ada.id}"))["items"][0]["status"] == "away"
    assert (await ada.login()).tokens["user"]["display_name"] == "Ada L."


async def test_created__is_written_to_at_once_by_live_sockets_on_both_gateways(
    users: Users, stack: RunningStack
) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    of_ada = await ada.connect(at=stack.internal_url("gateway-1"))
    of_bob = await bob.connect(at=stack.internal_url("gateway-2"))
    for _ in range(TIMES):
        group = (await ada.group_with(bob))["id"]
        first = await of_ada.say(group, "at once")
        second = await of_bob.say(group, "and back")
        await of_bob.receive("message:new", first)
        await of_ada.receive("message:new", second)
        named = [e.event for e in of_bob.events if group in (e.payload.get("id"), e.payload.get("conversation_id"))]
        assert named[:2] == ["conversation:new", "message:new"]


async def test_added__writes_at_once(users: Users, stack: RunningStack) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    of_bob = await bob.connect(at=stack.internal_url("gateway-2"))
    for _ in range(TIMES):
        group = (await ada.group_with())["id"]
        await ada.post(f"/v1/conversations/{group}/members", {"user_ids": [bob.id]})
        await of_bob.done("typing:start", {"conversation_id": group})
        assert (await of_bob.say(group, "I am in"))["sender_id"] == bob.id


async def test_added__while_the_gateway_receives_nothing__is_never_said_to_be_no_member(
    users: Users, stack: RunningStack
) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    of_bob = await bob.connect(at=stack.internal_url("gateway-2"))
    url = redis_url(stack.stack.ports.redis, stack_credentials(stack.stack).redis)
    async with redis.asyncio.from_url(url) as client:
        for _ in range(TIMES):
            group = (await ada.group_with())["id"]
            await client.client_kill_filter(_type="pubsub")  # nobody receives what is done next
            await ada.post(f"/v1/conversations/{group}/members", {"user_ids": [bob.id]})
            ack = await of_bob.call("typing:start", {"conversation_id": group})
            assert ack["ok"] or ack["error"]["code"] == "unavailable", ack
            await eventually(lambda: _is_taken(of_bob, "typing:start", {"conversation_id": group}))  # noqa: B023

    error = await of_bob.refusal("typing:start", {"conversation_id": (await ada.group_with())["id"]})
    assert error["code"] == "not_found"


async def _is_taken(live: LiveSocket, event: str, payload: dict[str, str]) -> bool:
    return bool((await live.call(event, payload))["ok"])


async def test_written__is_found_by_search_and_settings_hold_at_once(users: Users) -> None:
    ada = await users.register("Ada")
    group = (await ada.group_with())["id"]
    word = f"quokka{new_name().replace('-', '').replace('_', '').lower()}"
    message = await ada.say(group, f"a {word}")
    settings = {"level": "mentions", "muted_until": None}
    await ada.put(f"/v1/notification-settings/{group}", {"level": "mentions"})

    found = await ada.get(f"/v1/search/messages?q={word}")
    assert [item["message"]["id"] for item in found["items"]] == [message["id"]]
    assert await ada.get(f"/v1/notification-settings/{group}") == settings


async def test_group__created_by_many_at_once_with_one_user__is_received_of_each(users: Users) -> None:
    ada, *others = await users.register_all("Ada", *"ABCDEF")
    live = await ada.connect()
    groups = await asyncio.gather(*(other.group_with(ada) for other in others))
    messages = await asyncio.gather(*(o.say(g["id"], "hello") for o, g in zip(others, groups, strict=True)))
    for message in messages:
        await live.receive("message:new", message)

    assert {payload["id"] for payload in live.of("conversation:new")} == {group["id"] for group in groups}
