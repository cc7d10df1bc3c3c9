"""One message while something is broken, then silence: nobody writes again, and still everybody gets to see it.

Live delivery may lose what it carries. Where users go on talking the next event shows the hole; here nothing follows,
so the system itself has to notice, within five seconds after the fault is over and the message was acked.
"""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import aiohttp
import asyncpg
import pytest
from synctalk_backing.postgres import postgres_url
from synctalk_local.stack import stack_credentials
from synctalk_systemtest import redis_faults
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import User, Users, new_name
from synctalk_testkit.eventually import eventually
from synctalk_testkit.follower import RETRY_S, Follower, follow

SEEN_WITHIN_S = 5
ACK_TIMEOUT_S = 30
FROZEN_S = 8
"""Longer than a command waits for its answer."""

Fault = Callable[[RunningStack], AbstractAsyncContextManager[None]]
Send = Callable[[Follower, User, str], Coroutine[Any, Any, str]]


@asynccontextmanager
async def api_frozen(stack: RunningStack) -> AsyncIterator[None]:
    began = time.monotonic()
    stack.freeze("api-1")
    try:
        yield
        await eventually(lambda: time.monotonic() - began > FROZEN_S, FROZEN_S + 5)
    finally:
        stack.thaw("api-1")


@asynccontextmanager
async def api_killed(stack: RunningStack) -> AsyncIterator[None]:
    killed = stack.kill("api-1")
    yield
    await asyncio.to_thread(stack.wait_running, "api-1", other_than=killed)


@asynccontextmanager
async def broker_away(stack: RunningStack) -> AsyncIterator[None]:
    await asyncio.to_thread(stack.stop, "rabbitmq")
    try:
        yield
    finally:
        await asyncio.to_thread(stack.start, "rabbitmq")


@asynccontextmanager
async def broker_rebuilt_empty(stack: RunningStack) -> AsyncIterator[None]:
    await asyncio.to_thread(stack.stop, "rabbitmq")
    try:
        yield
    finally:
        shutil.rmtree(stack.stack.data / "rabbitmq" / "data")
        (stack.stack.data / "rabbitmq" / "data").mkdir()
        await asyncio.to_thread(stack.start, "rabbitmq")


FAULTS: dict[str, Fault] = {
    **{f"redis {name}": fault for name, fault in redis_faults.FAULTS.items()},
    "api frozen": api_frozen,
    "api killed": api_killed,
    "broker away": broker_away,
    "broker rebuilt empty": broker_rebuilt_empty,
}


async def sent_by_rest(_: Follower, sender: User, group: str) -> str:
    """Send until it is acked; the message's id."""
    body = {"client_message_id": new_name(), "body": "then silence"}
    while True:
        try:
            answer = await sender.request("POST", f"/v1/conversations/{group}/messages", json=body)
        except (aiohttp.ClientError, TimeoutError, OSError):
            answer = None
        if answer is not None and answer.status in (200, 201):
            return str(answer.body["id"])
        assert answer is None or answer.code in ("unavailable", "rate_limited"), answer
        await asyncio.sleep(RETRY_S)


async def sent_on_socket(of_sender: Follower, _: User, group: str) -> str:
    return str((await of_sender.send(group, new_name(), "then silence"))["id"])


WAYS: tuple[Send, ...] = (sent_by_rest, sent_on_socket)
EVERY_CASE = os.environ.get("SYNCTALK_TEST_FAULTS") == "all"
"""Set by `make test-faults`. Else each fault meets one of the ways, in turn."""

CASES = [
    pytest.param(name, way, id=f"{name}-{way.__name__}")
    for at, name in enumerate(FAULTS)
    for number, way in enumerate(WAYS)
    if EVERY_CASE or (at + number) % len(WAYS) == 0
]


@pytest.mark.parametrize(("name", "way"), CASES)
async def test_one_message__then_silence__is_seen_by_everybody(
    stack: RunningStack, users: Users, name: str, way: Send
) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    group = (await ada.group_with(bob, eve))["id"]
    of_ada, of_bob, of_eve = [await follow(user) for user in (ada, bob, eve)]
    async with FAULTS[name](stack):
        sending = asyncio.ensure_future(way(of_ada, ada, group))
        # What can be acked while the fault lasts is; what cannot is acked after it.
        await asyncio.wait({sending}, timeout=redis_faults.PAUSE_MS / 1000)
    message_id = await asyncio.wait_for(sending, ACK_TIMEOUT_S)

    for follower in (of_ada, of_bob, of_eve):
        await _until_seen(follower, group, message_id)
        assert follower.strict_faults == []


async def _until_seen(follower: Follower, group: str, message_id: str) -> None:
    await eventually(
        lambda: list(follower.copies[group].messages) == [message_id],
        SEEN_WITHIN_S,
        message=f"an acked message is not seen after {SEEN_WITHIN_S} s: {follower.events[-5:]}",
    )


async def test_api__killed_between_commit_and_publish__its_message_is_seen_without_a_retry(
    stack: RunningStack, users: Users
) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = (await ada.group_with(bob))["id"]
    of_bob = await follow(bob)
    body = {"client_message_id": new_name(), "body": "then silence"}
    async with redis_faults.refusing_publishes(stack):  # the commit goes through, its publish does not
        sending = asyncio.ensure_future(ada.request("POST", f"/v1/conversations/{group}/messages", json=body))
        await eventually(lambda: _is_stored(stack, group), ACK_TIMEOUT_S)
        killed = stack.kill("api-1")
        await asyncio.gather(sending, return_exceptions=True)
    await asyncio.to_thread(stack.wait_running, "api-1", other_than=killed)

    await eventually(lambda: of_bob.bodies(group) == ["then silence"], SEEN_WITHIN_S)


async def _is_stored(stack: RunningStack, group: str) -> bool:
    password = stack_credentials(stack.stack).databases["api"]
    url = postgres_url(stack.stack.ports.postgres, "synctalk_api", "synctalk_api", password)
    connection = await asyncpg.connect(url)
    try:
        return bool(await connection.fetchval("select last_seq from conversations where id = $1", group))
    finally:
        await connection.close()
