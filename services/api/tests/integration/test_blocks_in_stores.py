"""Blocks of conversations in another store hold there while the main one is away, and reach it when it is back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.resources import files

import asyncpg
import pytest
from pydantic import SecretStr
from synctalk_api.actions import block_copies
from synctalk_api.actions import moving as moving_action
from synctalk_api.actions import partitions as partitions_action
from synctalk_api.actions.moving import Mover
from synctalk_runtime.ids import new_id
from synctalk_runtime.migrate import migrate
from synctalk_testkit.eventually import eventually
from synctalk_testkit.plugin import FreshDatabase
from synctalk_testkit.relay import Relay, relay_to

from services.api.tests.integration.conftest import Api, Json, Start, User
from services.api.tests.integration.test_blocks import block, say
from services.api.tests.integration.test_claims import claim
from services.api.tests.integration.test_stores import ALL, begin_in

BACK_WITHIN_S = 30
"""A loop that failed pauses for some seconds, on a machine that may have other work."""

Starting = Callable[..., AbstractAsyncContextManager[tuple[Api, Relay]]]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving_action, "PAUSE_S", 0.02)
    monkeypatch.setattr(partitions_action, "INTERVAL_S", 0.05)


@pytest.fixture
def starting(start_api: Start, fresh_database: FreshDatabase) -> Starting:
    """Start an api with all conversations in the second store, and a relay before the one that is named."""

    @asynccontextmanager
    async def start(behind: str) -> AsyncIterator[tuple[Api, Relay]]:
        urls = {"main": await fresh_database("api"), "second": await fresh_database("api")}
        async with relay_to(urls[behind]) as relay:
            urls[behind] = relay.url
            async with start_api(
                database_url=urls["main"],
                api_stores={"second": urls["second"]},
                database_acquire_timeout_s=0.5,
                database_command_timeout_s=2.0,
            ) as api:
                await begin_in(api, ALL, "second")
                yield api, relay
                relay.mend()

    return start


async def contacts(api: Api, user: User, *others: User) -> set[str]:
    question = {"user_id": user.id, "others": [other.id for other in others]}
    return set((await api.internal("POST", "/internal/contacts", question)).body["ids"])


async def is_pushed(api: Api, user: User, message: Json) -> bool:
    question = {"user_id": user.id, "conversation_id": message["conversation_id"], "seq": message["seq"]}
    answer = await api.internal("POST", "/internal/pushes", {"items": [question]})
    assert answer.status == 200, answer
    return not answer.body["items"][0]["deleted"]


async def blocks_of(api: Api, store: int) -> set[tuple[str, str]]:
    async with api.services.stores.all[store].postgres.connection() as conn:
        return {(row["user_id"], row["blocked_id"]) for row in await conn.fetch("select * from blocks")}


async def are_copied(api: Api) -> bool:
    return await blocks_of(api, 0) == await blocks_of(api, 1)


async def test_pushes_and_contacts__main_store_away__know_who_is_blocked(starting: Starting) -> None:
    async with starting("main") as (api, relay):
        ada, ben, cyd = await api.users(3)
        group = await ada.group(ben, cyd)
        by_ben, by_cyd = await ben.send(group["id"]), await cyd.send(group["id"])
        await block(ada, ben)
        await eventually(lambda: are_copied(api))

        relay.cut()

        assert not await is_pushed(api, ada, by_ben)
        assert await is_pushed(api, ada, by_cyd)
        assert await is_pushed(api, cyd, by_ben)
        assert await contacts(api, ben, ada, cyd) == {cyd.id}
        assert await contacts(api, ada, ben, cyd) == {ben.id, cyd.id}


async def test_block__made_and_lifted_while_the_store_is_away__holds_when_it_is_back(starting: Starting) -> None:
    async with starting("second") as (api, relay):
        ada, ben, cyd = await api.users(3)
        group, direct, other = await ada.group(ben, cyd), await ada.direct(ben), await ada.direct(cyd)
        by_ben, by_cyd = await ben.send(group["id"]), await cyd.send(group["id"])
        await block(ada, cyd)
        await eventually(lambda: are_copied(api))

        relay.cut()
        await block(ada, ben)
        await block(ada, cyd, "DELETE")
        relay.mend()

        await eventually(lambda: are_copied(api), BACK_WITHIN_S)
        assert not await is_pushed(api, ada, by_ben)
        assert await is_pushed(api, ada, by_cyd)

        async def say_so() -> bool:
            statuses = [(await say(ben, direct, new_id())).status, (await say(cyd, other, new_id())).status]
            return statuses == [404, 201]

        await eventually(say_so, BACK_WITHIN_S)
        assert (await say(ada, direct)).status == 403
        await eventually(lambda: nothing_is_noted(api), BACK_WITHIN_S)


async def nothing_is_noted(api: Api) -> bool:
    return not await api.sql("select from block_copies")


async def test_block__of_a_guest_who_is_claimed__is_in_the_second_store_too(starting: Starting) -> None:
    async with starting("second") as (api, _):
        ada, ben, cyd = await api.users(3)
        guest = await api.user("Guest", is_guest=True)
        await ada.group(guest)
        await block(ada, guest)
        await block(guest, cyd)

        await claim(api, guest, ben)

        await eventually(lambda: are_copied(api))
        assert await blocks_of(api, 1) >= {(ada.id, ben.id), (ben.id, cyd.id)}


async def test_store__that_gets_its_first_conversations__has_the_blocks_of_before(
    start_api: Start, fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_copies, "COMPARED_AT_ONCE", 2)
    second = await fresh_database("api")
    await migrate(second, files("synctalk_api") / "migrations")
    async with start_api() as api:
        ada, *others = await api.users(6)
        for other in others:
            await block(ada, other)

        added = api.settings.model_copy(update={"api_stores": {"second": SecretStr(second)}})
        async with Mover.opened(added) as mover:
            await mover.move([7], "second")

        conn = await asyncpg.connect(second)
        copied = {str(row["blocked_id"]) for row in await conn.fetch("select blocked_id from blocks")}
        await conn.close()
        assert copied == {other.id for other in others}


async def test_blocks__made_and_lifted_at_once_in_two_processes__are_in_the_end_the_same_in_both_stores(
    starting: Starting, start_api: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_copies, "IDLE_S", 0.005)
    async with starting("second") as (api, _):
        stores = {name: url.get_secret_value() for name, url in api.settings.api_stores.items()}
        async with start_api(beside=api, api_stores=stores, instance="api-2"):
            ada, *others = await api.users(4)

            async def change_often(other: User) -> None:
                for method in ("PUT", "DELETE") * 15:
                    await block(ada, other, method)

            await asyncio.gather(*(change_often(other) for other in others))
            await block(ada, others[0])

            await eventually(lambda: nothing_is_noted(api), BACK_WITHIN_S)
            assert await blocks_of(api, 1) == await blocks_of(api, 0) == {(ada.id, others[0].id)}


async def test_blocks__that_differ_without_a_note__are_found(
    starting: Starting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_copies, "ASKED_AGAIN_S", 0.1)
    monkeypatch.setattr(block_copies, "COMPARED_AGAIN_S", 0.0)
    monkeypatch.setattr(block_copies, "COMPARED_AT_ONCE", 2)
    async with starting("second") as (api, _):
        ada, *others = await api.users(6)
        insert = "insert into blocks (user_id, blocked_id, created_at) values ($1, $2, now())"
        for other in others:
            await api.sql(insert, ada.id, other.id)
        async with api.services.stores.all[1].postgres.connection() as conn:
            for other in others:
                await conn.execute(insert, other.id, ada.id)

        await eventually(lambda: are_copied(api))

        assert await blocks_of(api, 1) == {(ada.id, other.id) for other in others}


async def test_blocks__with_one_store__are_noted_for_none(start_api: Start) -> None:
    async with start_api() as api:
        ada, ben = await api.users(2)
        await block(ada, ben)
        assert await nothing_is_noted(api)
