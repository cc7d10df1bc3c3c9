"""A read replica is asked where it shows what was written, and never where it does not."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import asyncpg
import pytest
from synctalk_contracts.topology import partition_of
from synctalk_testkit.eventually import eventually
from synctalk_testkit.own_postgres import OwnPostgres, own_postgres
from synctalk_testkit.plugin import FreshDatabase
from synctalk_testkit.relay import relay_to

from services.api.tests.integration.conftest import Api, Json, Start, User
from services.api.tests.integration.test_stores import is_sent, move

SCANS = "select sum(seq_scan + idx_scan)::bigint from pg_stat_user_tables where relname = $1"


@dataclass(frozen=True)
class Pair:
    primary: OwnPostgres
    replica_url: str

    async def scans(self, table: str) -> int:
        """Return how often the replica has read a table."""
        conn = await asyncpg.connect(self.replica_url)
        count: int = await conn.fetchval(SCANS, table)
        await conn.close()
        return count

    async def run(self, statement: str) -> None:
        """Run a statement on the replica."""
        conn = await asyncpg.connect(self.replica_url)
        await conn.execute(statement)
        await conn.close()


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with own_postgres() as primary, primary.replica() as replica_url:
        yield Pair(primary, replica_url)


@pytest.fixture
async def api(start_api: Start, pair: Pair) -> AsyncIterator[Api]:
    async with start_api(
        database_url=pair.primary.url, api_replicas={"main": pair.replica_url}, database_acquire_timeout_s=1
    ) as running:
        yield running
        await pair.run("select pg_wal_replay_resume()")


async def seen(user: User, conversation: Json) -> list[str]:
    path = f"/v1/conversations/{conversation['id']}"
    history = await user.get(f"{path}/messages")
    return [message["body"] for message in history["items"]]


async def found(user: User, word: str) -> list[str]:
    return [hit["message"]["body"] for hit in (await user.get(f"/v1/search/messages?q={word}"))["items"]]


async def test_history__replica_paused__shows_what_was_written_before(api: Api, pair: Pair) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    await ada.send(conversation["id"], "tea one")
    await pair.run("select pg_wal_replay_pause()")
    sent = await ada.send(conversation["id"], "tea two")
    await ben.post(f"/v1/conversations/{conversation['id']}/read", {"seq": sent["seq"]})

    assert await seen(ben, conversation) == ["tea one", "tea two"]
    assert sorted(await found(ben, "tea")) == ["tea one", "tea two"]
    members = (await ben.get(f"/v1/conversations/{conversation['id']}/members"))["items"]
    assert {member["user"]["id"]: member["read_seq"] for member in members}[ben.id] == sent["seq"]


@pytest.mark.parametrize(
    ("path", "table"),
    [("messages", "messages"), ("members", "members"), ("search", "message_terms")],
)
async def test_read__replica_caught_up__is_done_there(api: Api, pair: Pair, path: str, table: str) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    await ada.send(conversation["id"], "tea")
    before = await pair.scans(table)
    place = "/v1/search/messages?q=tea" if path == "search" else f"/v1/conversations/{conversation['id']}/{path}"

    async def is_read_there() -> bool:
        assert (await ben.get(place))["items"]
        return await pair.scans(table) > before

    await eventually(is_read_there)


async def test_read__of_a_conversation_in_another_store__is_done_by_that_stores_replica(
    start_api: Start, fresh_database: FreshDatabase, pair: Pair
) -> None:
    in_schema = "?search_path=second"
    async with start_api(
        database_url=await fresh_database("api"),
        api_stores={"second": pair.primary.url + in_schema},
        api_replicas={"second": pair.replica_url + in_schema},
    ) as api:
        ada, ben = await api.users(2)
        conversation = await ada.direct(ben)
        await ada.send(conversation["id"], "tea one")
        await move(api, {partition_of(conversation["id"])}, "second")
        before = await pair.scans("messages")

        async def is_read_there() -> bool:
            assert await seen(ben, conversation) == ["tea one"]
            return await pair.scans("messages") > before

        await eventually(is_read_there, 30)
        await pair.run("select pg_wal_replay_pause()")
        try:
            await eventually(lambda: is_sent(ada, conversation["id"]))
            assert await seen(ben, conversation) == ["tea one", "after"]
        finally:
            await pair.run("select pg_wal_replay_resume()")


async def test_read__by_an_unrelated_user__is_not_found(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    conversation = await ada.direct(ben)

    assert (await eve.call("GET", f"/v1/conversations/{conversation['id']}/messages")).status == 404


async def test_read__replica_away__is_done_by_the_primary(start_api: Start, pair: Pair) -> None:
    async with (
        relay_to(pair.replica_url) as relay,
        start_api(
            database_url=pair.primary.url, api_replicas={"main": relay.url}, database_acquire_timeout_s=0.5
        ) as api,
    ):
        relay.cut()
        ada, ben = await api.users(2)
        conversation = await ada.direct(ben)
        await ada.send(conversation["id"], "tea")

        assert await seen(ben, conversation) == await found(ben, "tea") == ["tea"]
