"""PostgreSQL, Redis, RabbitMQ go away while users talk: services say so, come back by themselves, lose nothing."""

import asyncio

import pytest
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import Users
from synctalk_testkit.eventually import eventually
from synctalk_testkit.follower import follow
from synctalk_testkit.http import request
from synctalk_testkit.talk import talk_among

SERVICES = ("auth-1", "api-1", "presence-1", "notifier-1", "gateway-1", "gateway-2")
NOT_READY_WITHOUT: dict[str, tuple[str, ...]] = {
    "postgres": ("auth-1", "api-1", "presence-1", "notifier-1"),
    "redis": ("gateway-1", "gateway-2"),
    "rabbitmq": (),
}
"""Who can do nothing at all without the part."""
DEGRADED_WITHOUT: dict[str, tuple[str, ...]] = {
    "postgres": (),
    "redis": ("auth-1", "api-1", "presence-1"),
    "rabbitmq": SERVICES,
}
"""Who serves on without it, and says so."""
READY_TIMEOUT_S = 30

Readiness = dict[str, tuple[int, list[str]]]


async def readiness(stack: RunningStack, users: Users) -> Readiness:
    """By service: the status of `/readyz`, and what is degraded."""
    answers = [await request(users.http, "GET", f"{stack.internal_url(name)}/readyz") for name in SERVICES]
    return {name: (answer.status, answer.body["degraded"]) for name, answer in zip(SERVICES, answers, strict=True)}


def readiness_without(part: str) -> Readiness:
    return {
        name: (503 if name in NOT_READY_WITHOUT[part] else 200, [part] if name in DEGRADED_WITHOUT[part] else [])
        for name in SERVICES
    }


async def all_say(stack: RunningStack, users: Users, expected: Readiness) -> None:
    async def so() -> bool:
        assert await readiness(stack, users) == expected
        return True

    await eventually(so, READY_TIMEOUT_S)


@pytest.mark.parametrize("part", NOT_READY_WITHOUT)
async def test_part__stopped_and_started__is_reported_and_repaired_and_nothing_is_lost(
    stack: RunningStack, users: Users, part: str
) -> None:
    async with talk_among(users) as talk:
        await asyncio.to_thread(stack.stop, part)
        try:
            await all_say(stack, users, readiness_without(part))
            alive = [await request(users.http, "GET", f"{stack.internal_url(name)}/healthz") for name in SERVICES]
            assert {answer.status for answer in alive} == {200}
        finally:
            await asyncio.to_thread(stack.start, part)
        await all_say(stack, users, dict.fromkeys(SERVICES, (200, [])))
        await talk.go_on()
        await talk.prove()


@pytest.mark.parametrize("part", NOT_READY_WITHOUT)
async def test_part__killed__loses_nothing_that_was_acked(stack: RunningStack, users: Users, part: str) -> None:
    async with talk_among(users) as talk:
        old = stack.kill(part)
        await asyncio.to_thread(stack.wait_running, part, other_than=old)
        await talk.go_on()
        await talk.prove()


@pytest.mark.parametrize("part", ["redis", "rabbitmq"])
async def test_part__away__signing_in_and_reading_go_on(stack: RunningStack, users: Users, part: str) -> None:
    ada = await users.register()
    group = (await ada.group_with())["id"]
    await ada.say(group, "before")
    await asyncio.to_thread(stack.stop, part)
    try:
        again = await ada.login()
        history = await again.get(f"/v1/conversations/{group}/messages")
        assert [message["body"] for message in history["items"]] == ["before"]
        assert (await ada.request("GET", "/v1/conversations")).status == 200
        await ada.refresh()
    finally:
        await asyncio.to_thread(stack.start, part)


async def test_postgres__away__is_unavailable_with_when_to_retry(stack: RunningStack, users: Users) -> None:
    ada = await users.register()
    group = (await ada.group_with())["id"]
    live = await ada.connect()
    await asyncio.to_thread(stack.stop, "postgres")
    try:
        answer = await ada.request("GET", "/v1/conversations")
        assert (answer.status, answer.code) == (503, "unavailable")
        assert answer.body["error"]["retry_after"] > 0
        assert int(answer.headers["Retry-After"]) >= 1
        payload = {"conversation_id": group, "client_message_id": "a", "body": "hello"}
        error = await live.refusal("message:send", payload)
        assert error["code"] == "unavailable"
        assert error["retry_after"] > 0
    finally:
        await asyncio.to_thread(stack.start, "postgres")

    async def stored() -> bool:
        return bool((await live.call("message:send", payload))["ok"])

    await eventually(stored, READY_TIMEOUT_S)
    assert (await ada.get(f"/v1/conversations/{group}"))["last_seq"] == 1


async def test_session__revoked_while_the_bus_was_away__ends_everywhere_once_it_is_back(
    stack: RunningStack, users: Users
) -> None:
    ada = await users.register()
    live = await ada.connect()
    await asyncio.to_thread(stack.stop, "rabbitmq")
    try:
        assert (await ada.request("POST", "/v1/auth/logout")).status == 204
    finally:
        await asyncio.to_thread(stack.start, "rabbitmq")
    await live.wait_for("session:ended", timeout=READY_TIMEOUT_S)
    await live.wait_disconnected()

    async def refused_everywhere() -> bool:
        endpoints = ("/v1/users/me", "/v1/presence?user_ids=", "/v1/devices")
        return all([(await ada.request("GET", endpoint)).code == "unauthenticated" for endpoint in endpoints])

    await eventually(refused_everywhere, READY_TIMEOUT_S)
    assert live.of("session:ended") == [{"reason": "logged_out"}]


async def test_member__removed_while_redis_was_away__is_notified_and_receives_nothing_more(
    stack: RunningStack, users: Users
) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group, direct = (await ada.group_with(bob))["id"], (await ada.direct_with(bob))["id"]
    of_bob = await follow(bob)  # what was said while the positions were read anew comes by sync
    await asyncio.to_thread(stack.stop, "redis")
    try:
        assert (await ada.request("DELETE", f"/v1/conversations/{group}/members/{bob.id}")).status in (204, 503)
    finally:
        await asyncio.to_thread(stack.start, "redis")

    async def removed() -> bool:
        path = f"/v1/conversations/{group}/members/{bob.id}"
        return (await ada.request("DELETE", path)).status == 204

    await eventually(removed, READY_TIMEOUT_S)
    await of_bob.wait_for("conversation:removed", lambda payload: payload == {"id": group}, READY_TIMEOUT_S)
    count = len(of_bob.events)
    await ada.say(group, "without Bob")
    await ada.say(direct, "with Bob")
    await eventually(lambda: of_bob.bodies(direct) == ["with Bob"], message=f"{of_bob.events[count:]}")

    assert not any(event.payload.get("conversation_id") == group for event in of_bob.events[count:])
