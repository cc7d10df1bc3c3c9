"""The client beside its events: typing, presence, a backend that acts as a user."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from synctalk import (
    CallError,
    Client,
    Event,
    MessageDelta,
    MessageUpdated,
    Password,
    PresenceChanged,
    Server,
    SessionEndedError,
    Typing,
)
from synctalk_local.commands.key import key
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import User, Users, new_name
from synctalk_testkit.eventually import eventually

TIMEOUT_S = 30

pytestmark = pytest.mark.timeout(180)


@asynccontextmanager
async def live(user: User) -> AsyncIterator[tuple[Client, list[Event]]]:
    """A client that is connected, and what it has received."""
    seen: list[Event] = []
    async with Client(user.base_url, Password(user.username, user.password)) as client:

        async def read() -> None:
            async for event in client.events():
                seen.append(event)  # noqa: PERF401 - it is looked at meanwhile

        reading = asyncio.create_task(read())
        await eventually(lambda: client.is_live, TIMEOUT_S)
        yield client, seen
        reading.cancel()


async def test_typing__inside_of_the_block__is_seen_by_the_others(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    async with live(ada) as (_, seen), live(bob) as (client, _):
        async with client.typing(direct):
            await eventually(lambda: Typing(direct, bob.id, active=True) in seen, TIMEOUT_S)
        await eventually(lambda: Typing(direct, bob.id, active=False) in seen, TIMEOUT_S)


async def test_stream__of_a_connected_client__is_read_by_deltas_and_survives_a_killed_api(
    stack: RunningStack, users: Users
) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    async with live(ada) as (_, seen), live(bob) as (client, own):
        async with client.stream(direct, "0 ") as stream:
            for n in range(1, 40):
                if n == 10:
                    stack.kill("api-1")
                await stream.append(f"{n} ")
                await asyncio.sleep(0.05)
        whole = "".join(f"{n} " for n in range(40))
        await eventually(lambda: _ends(seen) == _ends(own) == [whole], TIMEOUT_S)
        deltas = [event for event in seen if isinstance(event, MessageDelta)]

    assert (stream.message.body, stream.message.streaming, stream.message.interrupted) == (whole, False, False)
    assert {delta.message_id for delta in deltas} == {stream.message.id}


def _ends(events: list[Event]) -> list[str]:
    return [event.message.body for event in events if isinstance(event, MessageUpdated) and not event.message.streaming]


async def test_presence__that_is_watched__is_known_and_followed(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    await ada.direct_with(bob)
    async with live(ada) as (client, seen):
        [before] = await client.watch_presence([bob.id])
        assert before.status == "offline"
        async with live(bob):
            await eventually(
                lambda: any(isinstance(e, PresenceChanged) and e.presence.status == "online" for e in seen), TIMEOUT_S
            )


async def test_server__acting_as_a_user__writes_as_them_until_its_key_ends(stack: RunningStack, users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    root = await asyncio.to_thread(key, stack.stack, None)
    async with Server(stack.url, root) as server:
        created = await server.create_key("one who acts", ["act"])
        assert created.id in {listed.id for listed in await server.keys()}
        async with Server(stack.url, created.key) as other:
            message = await other.acting_as(ada.id).send(direct, "by the backend")
            with pytest.raises(CallError) as refused:
                await other.create_bot(f"bot-{new_name().lower()}", "Bot")
            await server.revoke_key(created.id)

            async def is_refused() -> bool:
                try:
                    await other.acting_as(ada.id).me()
                except SessionEndedError:
                    return True
                return False

            await eventually(is_refused, TIMEOUT_S)

    assert (message.sender_id, message.body) == (ada.id, "by the backend")
    assert (refused.value.code, refused.value.details) == ("forbidden", {"scope": "bots"})
