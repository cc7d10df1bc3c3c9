"""Conversations by a host app's names in two stores: the names lie in the main one, and are found after a move."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from synctalk_api.actions import moving as moving_action
from synctalk_api.actions import partitions as partitions_action
from synctalk_contracts.topology import PARTITIONS, partition_of
from synctalk_testkit.plugin import FreshDatabase

from services.api.tests.integration.conftest import Api, Start
from services.api.tests.integration.test_server_conversations import PATH, Host, new_name
from services.api.tests.integration.test_server_messages import new, send
from services.api.tests.integration.test_stores import begin_in, move


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving_action, "PAUSE_S", 0.02)
    monkeypatch.setattr(partitions_action, "INTERVAL_S", 0.05)


@pytest.fixture
async def api(start_api: Start, fresh_database: FreshDatabase) -> AsyncIterator[Api]:
    async with start_api(api_stores={"second": await fresh_database("api")}, outbox_interval_s=0.05) as running:
        yield running


async def test_named_conversations__in_the_second_store__are_as_in_the_first(api: Api) -> None:
    await begin_in(api, range(0, PARTITIONS, 2), "second")
    host, (ada, ben, cyd, *others) = Host.of(api), await api.users(12)
    called = host.call_by_name(ben)
    for n in range(8):
        name = new_name()
        made = await host.put(name, type="group", member_ids=[ada.id, called], title="Old")
        assert made.status == 201, made
        changed = await host.put(name, type="group", member_ids=[called, cyd.id], title="New")
        assert (changed.status, changed.body["members_count"]) == (200, 2)
        place = PATH + quote(name, safe="")
        assert (await host.call("POST", f"{place}/members/{ada.id}")).status == 200
        reference = f"external:{quote(name, safe='')}"
        batch = {"messages": [new(called, "first"), new(None, "second", system={"type": "custom"}), new(ada, "third")]}
        items = (await send(host, reference, batch)).body["items"]
        assert [item["message"]["seq"] for item in items] == [1, 2, 3]
        assert [m["seq"] for m in (await ben.get(f"/v1/conversations/{reference}/messages"))["items"]] == [1, 2, 3]
        assert (await host.call("DELETE", place)).status == 204
        direct = [host.put(new_name(), type="direct", member_ids=[ada.id, others[n].id]) for _ in range(3)]
        assert sorted(answer.status for answer in await asyncio.gather(*direct)) == [201, 409, 409]


async def test_named_conversation__moved__keeps_its_name(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    names = [new_name() for _ in range(4)]
    made = [await host.made(name, ada, title="Old") for name in names]
    silent = [host.put(name, type="group", member_ids=[ada.id, ben.id]) for name in names * 5]
    changing = asyncio.gather(*silent)
    await move(api, {partition_of(conversation["id"]) for conversation in made}, "second")
    assert {answer.status for answer in await changing} <= {200, 503}
    for name, conversation in zip(names, made, strict=True):
        again = await host.put(name, type="group", title="New", member_ids=[ada.id, ben.id])
        while again.status == 503:  # until this process has read the map of partitions
            await asyncio.sleep(0.05)
            again = await host.put(name, type="group", title="New", member_ids=[ada.id, ben.id])
        assert (again.status, again.body["id"], again.body["external_id"]) == (200, conversation["id"], name)
        assert (await ben.get(f"/v1/conversations/external:{quote(name, safe='')}"))["title"] == "New"
