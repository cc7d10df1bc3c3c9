"""Which api process owns which partition, as processes come, leave, and are not seen any more."""

from __future__ import annotations

from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from synctalk_api.actions import partitions
from synctalk_api.actions.partitions import Partitions
from synctalk_contracts import topology
from synctalk_contracts.internal import PartitionMap
from synctalk_runtime.errors import UnavailableError
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from services.api.tests.integration.conftest import Api, Start


LATELY = "seen_at > clock_timestamp() - interval '0.5 seconds'"


class Broker:
    """In place of the bus: connected or not."""

    connected = True


class Published:
    """In place of Redis: keeps the maps."""

    def __init__(self) -> None:
        self.maps: list[PartitionMap] = []
        self.answers = True

    async def call(self, command: str, channel: str, data: bytes) -> int:
        if not self.answers:
            raise UnavailableError
        assert (command, channel) == ("PUBLISH", topology.PARTITIONS_CHANNEL)
        self.maps.append(PartitionMap.from_bytes(data))
        return 1


class Process:
    """The part of one api process."""

    def __init__(self, name: str, api: Api) -> None:
        self.name, self.bus, self.redis = name, Broker(), Published()
        self.partitions = Partitions(name, api.services.postgres, self.redis, self.bus)  # type: ignore[arg-type]

    def shares(self) -> dict[str, int]:
        """How many partitions each process owns, as this one sees it."""
        try:
            owners = self.partitions.map.owners
        except UnavailableError:
            return {}
        return {one.queue.split(".")[-1].rpartition("-")[0]: len(one.partitions) for one in owners}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "INTERVAL_S", 0.05)
    monkeypatch.setattr(partitions, "LEASE_S", 0.5)
    monkeypatch.setattr(partitions, "LATE_S", 0.3)
    monkeypatch.setattr(partitions, "LEAVE_S", 0.01)


@asynccontextmanager
async def running(api: Api, *names: str) -> AsyncIterator[list[Process]]:
    """Processes that share a map of their own."""
    await api.sql("truncate partition_owners")
    await api.sql("update partition_map set members = '{}', owners = '{}'")
    async with AsyncExitStack() as stack:
        processes = [Process(name, api) for name in names]
        for process in processes:
            await process.partitions.start()
            stack.push_async_callback(process.partitions.stop)
        await eventually(lambda: all(set(one.shares()) == set(names) for one in processes))
        yield processes


@pytest.fixture
async def quiet(start_api: Start) -> AsyncIterator[Api]:
    """An api whose own part is over, so that the table is the test's."""
    async with start_api() as api:
        await api.services.partitions.stop()
        yield api


async def test_processes__share_the_partitions_evenly(quiet: Api) -> None:
    async with running(quiet, "a", "b", "c") as processes:
        await eventually(lambda: all(sorted(p.shares().values()) == [85, 85, 86] for p in processes))
        published = max((m for p in processes for m in p.redis.maps), key=lambda m: m.version)

        assert Counter(n for owner in published.owners for n in owner.partitions) == dict.fromkeys(range(256), 1)


async def test_process__leaves__the_others_own_everything_at_once(quiet: Api) -> None:
    async with running(quiet, "a", "b") as (first, second):
        await first.partitions.stop()
        await eventually(lambda: second.shares().get("b") == 256)

        last = [one for one in first.redis.maps if len(one.owners) == 2][-1]
        assert {len(owner.partitions) for owner in last.owners} == {0, 256}
        await eventually(lambda: set(second.shares()) == {"b"})


async def test_process__not_seen_for_the_lease__has_lost_its_partitions_and_comes_back(quiet: Api) -> None:
    async with running(quiet, "a", "b") as (first, second):
        first.bus.connected = False
        await eventually(lambda: second.shares() == {"b": 256})
        first.bus.connected = True

        await eventually(lambda: second.shares() == {"a": 128, "b": 128})


async def test_all__not_seen_for_the_lease__one_that_is_back_first_takes_nothing_from_the_others(quiet: Api) -> None:
    async with running(quiet, "a", "b") as (first, second):
        version = first.partitions.map.version
        first.bus.connected = second.bus.connected = False
        await eventually(lambda: absent(quiet))
        first.bus.connected = True
        await eventually(lambda: seen(quiet, "a"))
        second.bus.connected = True
        await eventually(lambda: seen(quiet, "b"))

        assert (await quiet.sql("select version from partition_map"))[0][0] == version


async def seen(api: Api, name: str) -> bool:
    return bool(await api.sql(f"select from partition_owners where instance = '{name}' and {LATELY}"))


async def absent(api: Api) -> bool:
    return not await api.sql(f"select from partition_owners where {LATELY}")


async def test_process__killed_and_started_again__owns_what_it_did_before_at_once(quiet: Api) -> None:
    async with running(quiet, "a", "b") as (first, second):
        before = {one.queue: one.partitions for one in second.partitions.map.owners}
        await first.partitions._loop.stop()  # as by SIGKILL: nothing is written any more
        again = Process("a", quiet)
        await again.partitions.start()
        await eventually(lambda: again.shares() == {"a": 128, "b": 128})
        after = {one.queue: one.partitions for one in again.partitions.map.owners}
        await again.partitions.stop()

    assert (
        after[topology.command_queue(again.partitions.owner)] == before[topology.command_queue(first.partitions.owner)]
    )
    assert topology.command_queue(first.partitions.owner) not in after


async def test_process__the_only_one_left_and_another_starts__owns_everything_at_once(quiet: Api) -> None:
    async with running(quiet, "a") as (only,):
        await only.partitions.stop()
        next_one = Process("b", quiet)
        await next_one.partitions.start()
        await eventually(next_one.shares)
        first = next_one.redis.maps[0]
        await next_one.partitions.stop()

    assert [len(owner.partitions) for owner in first.owners] == [256]


async def test_redis__away__the_map_is_still_written(quiet: Api) -> None:
    async with running(quiet, "a") as (only,):
        only.redis.answers = False
        other = Process("b", quiet)
        other.redis.answers = False
        await other.partitions.start()
        await eventually(lambda: only.shares() == {"a": 128, "b": 128})
        await other.partitions.stop()


async def test_map__before_the_first_is_known__is_unavailable(quiet: Api) -> None:
    with pytest.raises(UnavailableError):
        _ = Process("a", quiet).partitions.map


async def test_gateway__asks__gets_every_partition_once(api: Api) -> None:
    async def answer() -> PartitionMap | None:
        response = await api.internal("GET", "/internal/partitions")
        return PartitionMap.model_validate(response.body) if response.status == 200 else None

    found = await eventually(answer)
    assert found is not None

    assert Counter(n for owner in found.owners for n in owner.partitions) == dict.fromkeys(range(256), 1)
    assert topology.command_queue(api.services.partitions.owner) in {owner.queue for owner in found.owners}
