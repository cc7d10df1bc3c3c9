"""A store that is a schema of the main database: conversations are moved there, read and written as in any other."""

from collections.abc import AsyncIterator

import pytest
from synctalk_api.actions import moving as moving_action
from synctalk_api.actions import partitions as partitions_action
from synctalk_testkit.plugin import FreshDatabase

from services.api.tests.integration.conftest import Api, Start
from services.api.tests.integration.test_stores import counts, everything, move, moved_count, odd, talk


@pytest.fixture
async def api(start_api: Start, fresh_database: FreshDatabase, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    monkeypatch.setattr(moving_action, "PAUSE_S", 0.02)
    monkeypatch.setattr(partitions_action, "INTERVAL_S", 0.05)
    url = await fresh_database("api")
    stores = {"second": f"{url}?search_path=second"}
    async with start_api(database_url=url, api_stores=stores, outbox_interval_s=0.05) as running:
        yield running


async def test_everything__partly_in_a_schema__reads_as_from_one_and_is_written_there(api: Api) -> None:
    ada, others, conversations = await talk(api)
    before = await everything(api, ada, others, conversations)
    await move(api, odd(conversations), "second")
    number = moved_count(conversations)

    assert await everything(api, ada, others, conversations) == before
    assert await counts(api) == (len(conversations) - number, number)
    rows = await api.sql("select count(*) from second.conversations")
    assert rows[0]["count"] == number

    sent = [await ada.send(conversation["id"], "after the move") for conversation in conversations]
    for conversation, message in zip(conversations, sent, strict=True):
        history = await ada.list(f"/v1/conversations/{conversation['id']}/messages", 100)
        assert max(history, key=lambda m: m["seq"])["id"] == message["id"]
    await move(api, odd(conversations), "main")
    assert await counts(api) == (len(conversations), 0)
