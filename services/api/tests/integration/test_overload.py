"""More writes than can be done, or a database that stands still: refused at once, in bounded memory, over by itself."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import cast

import pytest
from synctalk_api.actions.commands import Command, CommandResult
from synctalk_api.actions.streams import Streams
from synctalk_api.actions.writer import Writer
from synctalk_contracts.commands import AnyCommand, SendMessage
from synctalk_runtime.errors import UnavailableError
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import Response
from synctalk_testkit.plugin import FreshDatabase
from synctalk_testkit.relay import relay_to

from services.api.tests.integration.conftest import Api, Json, Start, User


def send(user: User, conversation: Json, n: int, body: str = "hello") -> Command:
    return Command(
        SendMessage(conversation_id=conversation["id"], user_id=user.id, client_message_id=f"m{n}", body=body)
    )


def as_gateway(command: Command) -> AnyCommand:
    return cast(AnyCommand, command.payload)


async def post(user: User, conversation: Json, name: str) -> Response:
    path = f"/v1/conversations/{conversation['id']}/messages"
    return await user.call("POST", path, {"client_message_id": name, "body": "hello"})


async def test_rest__while_the_database_stands_still__is_refused_at_once_with_when_to_try_again(
    start_api: Start, fresh_database: FreshDatabase
) -> None:
    async with (
        relay_to(await fresh_database("api")) as relay,
        start_api(database_url=relay.url, write_wait_max_s=0.3, database_command_timeout_s=3) as api,
    ):
        ada, ben = await api.users(2)
        conversation = await ada.direct(ben)
        relay.freeze()
        first = asyncio.create_task(post(ada, conversation, "first"))
        backlog = writer_of(api)._backlog
        await eventually(lambda: backlog.expected_wait_s() > 0.3)

        began = time.monotonic()
        refused = await post(ada, conversation, "second")
        took = time.monotonic() - began
        relay.mend()

        assert (refused.status, refused.code) == (503, "unavailable")
        assert refused.body["error"]["retry_after"] >= 1
        assert took < 1
        await first
        await eventually(lambda: is_sent(ada, conversation, "second"))


def writer_of(api: Api) -> Writer:
    streams = api.services.writers
    assert isinstance(streams, Streams)
    return streams._writers.by_store[api.services.stores.main]


async def is_sent(user: User, conversation: Json, name: str) -> bool:
    return (await post(user, conversation, name)).status in (200, 201)


@pytest.mark.parametrize("bounds", [{"write_queue_commands": 3}, {"write_queue_bytes": 3 * 33_000}])
async def test_commands__beyond_the_bound__are_refused_to_rest_and_wait_at_the_command_queue(
    api: Api, bounds: Json
) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    settings = api.settings.model_copy(update=bounds)
    stores = api.services.stores
    writer = Writer(stores, stores.main, settings, api.services.conversations.fanout, api.services.history.live)
    commands = [send(ada, conversation, n, "🙂" * 8_000) for n in range(4)]
    written = await writer.accept(commands[:3])

    with pytest.raises(UnavailableError):
        await writer.write(send(ada, conversation, 99))
    waiting = asyncio.create_task(writer.accept(commands[3:]))
    await asyncio.sleep(0)
    assert not waiting.done()
    await writer.start()
    last = await waiting
    await writer.stop()

    assert [type(outcome) for outcome in (*await written, *await last)] == [CommandResult] * 4


async def test_send__while_every_other_connection_is_busy__is_acked(start_api: Start) -> None:
    async with start_api(database_acquire_timeout_s=0.2, database_pool_size=2) as api, AsyncExitStack() as taken:
        ada, ben = await api.users(2)
        conversation = await ada.direct(ben)
        for pool, size in (
            (api.services.stores.main.reads, api.settings.database_read_pool_size),
            (api.services.stores.main.postgres, api.settings.database_pool_size),
        ):
            for _ in range(size):
                await taken.enter_async_context(pool.connection())

        read = await ada.call("GET", f"/v1/conversations/{conversation['id']}/messages")
        sent = await post(ada, conversation, "by-rest")
        reply = await api.command(as_gateway(send(ada, conversation, 1)))

        assert (read.status, read.code) == (503, "unavailable")
        assert (sent.status, reply["result"]["message"]["seq"]) == (201, 2)


async def test_change_of_members__while_every_connection_for_reading_is_busy__is_done(start_api: Start) -> None:
    async with start_api() as api, AsyncExitStack() as taken:
        ada, ben = await api.users(2)
        for _ in range(api.settings.database_read_pool_size):
            await taken.enter_async_context(api.services.stores.main.reads.connection())

        assert (await ada.group(ben))["members_count"] == 2


async def test_everything_else__while_groups_are_created_as_fast_as_can_be__is_done(start_api: Start) -> None:
    async with start_api(database_acquire_timeout_s=0.2) as api, AsyncExitStack() as taken:
        ada, ben = await api.users(2)
        conversation = await ada.direct(ben)
        for _ in range(api.settings.database_change_pool_size):
            await taken.enter_async_context(api.services.stores.main.changes.connection())

        created = await ada.call("POST", "/v1/conversations", {"type": "group", "title": "G", "member_ids": [ben.id]})
        read = await ada.call("GET", f"/v1/conversations/{conversation['id']}/messages")
        sent = await post(ada, conversation, "by-rest")
        reply = await api.command(as_gateway(send(ada, conversation, 1)))

        assert (created.status, created.code) == (503, "unavailable")
        assert (read.status, sent.status, reply["result"]["message"]["seq"]) == (200, 201, 2)
