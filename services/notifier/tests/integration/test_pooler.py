"""The notifier behind a pooler in transaction mode does what it does without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest_asyncio
from synctalk_contracts.models import Scope
from synctalk_runtime.migrate import migrate
from synctalk_testkit.eventually import eventually
from synctalk_testkit.own_pgbouncer import own_pgbouncer

if TYPE_CHECKING:
    from synctalk_testkit.plugin import FreshDatabase

    from services.notifier.tests.harness import Rig


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(fresh_database: FreshDatabase) -> AsyncIterator[dict[str, Any]]:
    url = await fresh_database("notifier")
    await migrate(url, files("synctalk_notifier") / "migrations")
    with own_pgbouncer(url) as pooler:
        yield {"database_url": pooler, "database_transaction_pooler": True}


async def test_pushes__behind_a_pooler__are_sent_once_and_retracted(rig: Rig) -> None:
    ada, *others = (rig.user() for _ in range(6))
    tokens = await asyncio.gather(*(other.add_device() for other in others))
    await asyncio.gather(*(other.set_all(level="all") for other in others))
    conversation = await rig.conversation(ada, *others)
    await conversation.write(ada, times=5)
    for token in tokens:
        await rig.pushes(token, 5)
    await others[0].set(conversation.id, "none")
    deleted = await conversation.write(ada)
    await asyncio.gather(*(rig.pushes(token, 6) for token in tokens[1:]))
    await conversation.delete(deleted)
    await rig.settled()

    assert len(rig.pushed(tokens[0])) == 5
    assert {len(rig.pushed(token)) for token in tokens[1:]} == {7}, "the last one retracts"


async def test_feed__behind_a_pooler__has_every_message_in_order(rig: Rig) -> None:
    key = rig.auth.server_key(Scope.EVENTS)
    ada, ben = rig.user(), rig.user()
    conversation = await rig.conversation(ada, ben)
    written = [await conversation.write(ada) for _ in range(20)]

    async def has_all() -> bool:
        response = await rig.service.call("GET", "/v1/events", token=key, params={"after": "0", "limit": 1000})
        found = [event["data"]["message"]["id"] for event in response.body["items"] if _is_in(event, conversation.id)]
        assert found == [event.message.id for event in written]
        return True

    await eventually(has_all)


def _is_in(event: dict[str, Any], conversation_id: str) -> bool:
    message = event["data"].get("message")
    return message is not None and message["conversation_id"] == conversation_id
