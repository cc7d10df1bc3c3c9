"""A service's process is killed while users talk: it comes back, and nothing is lost, doubled or moved."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

import pytest
from synctalk_systemtest.javascript import START_TIMEOUT_S, javascript_client
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import User, Users
from synctalk_testkit.eventually import eventually
from synctalk_testkit.talk import talk_among

BACK_WITHIN_S = 3.0


async def killed(stack: RunningStack, name: str) -> None:
    """Killed, and serving again."""
    old = stack.kill(name)
    await eventually(lambda: stack.pid(name) not in (0, old), BACK_WITHIN_S, message=f"{name} was not started again")
    await asyncio.to_thread(stack.wait_running, name, other_than=old)


@pytest.mark.parametrize("name", ["gateway-1", "auth-1", "presence-1", "notifier-1", "edge"])
async def test_killed__while_users_talk__loses_and_doubles_nothing(
    stack: RunningStack, users: Users, name: str
) -> None:
    async with talk_among(users) as talk:
        await killed(stack, name)
        await talk.go_on()
        await talk.prove()


async def test_api__killed_again_and_again__loses_and_doubles_nothing(stack: RunningStack, users: Users) -> None:
    async with talk_among(users) as talk:
        for _ in range(3):
            await killed(stack, "api-1")
            await talk.go_on(6)
        await talk.prove()


async def test_gateway__killed__its_javascript_clients_come_back_and_sync(stack: RunningStack, users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    async with javascript_client(stack) as browser:
        await browser.connect(users.base_url, ada.access_token, transports=["websocket"])
        first = await browser.wait_for("ready", timeout=START_TIMEOUT_S)
        session = (await browser.wait_for("connect"))["session"]
        before = len(browser.lines)
        await killed(stack, session.partition(".")[0])
        missed = await bob.say(direct, "missed")
        await browser.wait_for("ready", since=before)
        cursor = first["conversations"][0]["change_seq"]
        ack = await browser.call("sync", {"cursors": {direct: cursor}})
        live = await bob.say(direct, "live again")
        received = await browser.wait_for("message:new", lambda message: message["id"] == live["id"])

    assert missed in ack["conversations"][direct]["messages"]
    assert received == live


async def test_presence__killed__still_knows_who_is_here_and_publishes_changes(
    stack: RunningStack, users: Users
) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    await ada.direct_with(bob)
    of_ada, of_bob = await ada.connect(), await bob.connect()
    await of_bob.done("presence:subscribe", {"user_ids": [ada.id]})
    await eventually(lambda: _status_is(bob, ada.id, "online"))
    await killed(stack, "presence-1")
    await eventually(lambda: _status_is(bob, ada.id, "online"))
    await ada.put("/v1/presence/me", {"status": "dnd"})
    await of_bob.wait_for("presence:changed", lambda presence: presence["status"] == "dnd")

    assert "offline" not in [presence["status"] for presence in of_bob.of("presence:changed")]
    assert of_ada.disconnects == []


async def test_notifier__killed__pushes_what_was_sent_meanwhile_once(stack: RunningStack, users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    token = secrets.token_hex(16)
    await bob.put("/v1/devices/phone", {"platform": "android", "token": token})
    first = await ada.say(direct, "before")
    old = stack.kill("notifier-1")
    second = await ada.say(direct, "meanwhile")
    await asyncio.to_thread(stack.wait_running, "notifier-1", other_than=old)
    third = await ada.say(direct, "after")

    async def pushed() -> list[str]:
        items = (await bob.get(f"/dev/push/messages?token={token}"))["items"]
        return [item["message"]["data"]["message_id"] for item in items]

    wanted = {message["id"] for message in (first, second, third)}
    await eventually(lambda: _covers(pushed, wanted), 20, message="not all were pushed")
    assert sorted(await pushed()) == sorted(wanted)


async def _covers(pushed: Callable[[], Awaitable[list[str]]], wanted: set[str]) -> bool:
    return wanted <= set(await pushed())


async def _status_is(viewer: User, user_id: str, status: str) -> bool:
    answer = await viewer.request("GET", f"/v1/presence?user_ids={user_id}")
    return bool(answer.status == 200 and answer.body["items"][0]["status"] == status)
