"""PostgreSQL, Redis, RabbitMQ go away while people talk: services say so, come back by themselves, lose nothing."""

import asyncio

import pytest
from synctalk_testkit.clients import People, request
from synctalk_testkit.eventually import eventually
from synctalk_testkit.stack import RunningStack
from synctalk_testkit.talk import talk_among

NEEDED_BY = {
    "postgres": ("auth-1", "api-1", "presence-1", "notifier-1"),
    "redis": ("auth-1", "api-1", "gateway-1", "gateway-2", "presence-1"),
    "rabbitmq": ("auth-1", "api-1", "gateway-1", "gateway-2", "notifier-1"),
}
READY_TIMEOUT_S = 30


async def readiness(stack: RunningStack, people: People, names: tuple[str, ...]) -> dict[str, int]:
    answers = [await request(people.http, "GET", f"{stack.internal_url(name)}/readyz") for name in names]
    return {name: answer.status for name, answer in zip(names, answers, strict=True)}


async def all_are(stack: RunningStack, people: People, names: tuple[str, ...], status: int) -> None:
    async def so() -> bool:
        assert await readiness(stack, people, names) == dict.fromkeys(names, status)
        return True

    await eventually(so, READY_TIMEOUT_S)


@pytest.mark.parametrize("part", NEEDED_BY)
async def test_part__stopped_and_started__is_said_and_healed_and_nothing_is_lost(
    stack: RunningStack, people: People, part: str
) -> None:
    names = NEEDED_BY[part]
    async with talk_among(people) as talk:
        await asyncio.to_thread(stack.stop, part)
        try:
            await all_are(stack, people, names, 503)
            alive = [await request(people.http, "GET", f"{stack.internal_url(name)}/healthz") for name in names]
            assert {answer.status for answer in alive} == {200}
        finally:
            await asyncio.to_thread(stack.start, part)
        await all_are(stack, people, names, 200)
        await talk.go_on()
        await talk.prove()


@pytest.mark.parametrize("part", NEEDED_BY)
async def test_part__killed__loses_nothing_that_was_acked(stack: RunningStack, people: People, part: str) -> None:
    async with talk_among(people) as talk:
        old = stack.kill(part)
        await asyncio.to_thread(stack.wait_running, part, other_than=old)
        await talk.go_on()
        await talk.prove()


async def test_postgres__away__is_unavailable_with_when_to_retry(stack: RunningStack, people: People) -> None:
    ada = await people.register()
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
    stack: RunningStack, people: People
) -> None:
    ada = await people.register()
    live = await ada.connect()
    await asyncio.to_thread(stack.stop, "rabbitmq")
    try:
        assert (await ada.request("POST", "/v1/auth/logout")).status == 204
    finally:
        await asyncio.to_thread(stack.start, "rabbitmq")
    await live.wait_for("session:ended", timeout=READY_TIMEOUT_S)
    await live.wait_disconnected()

    async def refused_everywhere() -> bool:
        doors = ("/v1/users/me", "/v1/presence?user_ids=", "/v1/devices")
        return all([(await ada.request("GET", door)).code == "unauthenticated" for door in doors])

    await eventually(refused_everywhere, READY_TIMEOUT_S)
    assert live.of("session:ended") == [{"reason": "logged_out"}]


async def test_member__removed_while_redis_was_away__hears_so_and_nothing_more(
    stack: RunningStack, people: People
) -> None:
    ada, bob = await people.register_all("Ada", "Bob")
    group, direct = (await ada.group_with(bob))["id"], (await ada.direct_with(bob))["id"]
    of_bob = await bob.connect()
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
    await of_bob.hear("message:new", await ada.say(direct, "with Bob"))

    assert not any(event.payload.get("conversation_id") == group for event in of_bob.events[count:])
