"""Which api process owns which partition, as processes come, leave, and are not seen any more."""

from __future__ import annotations

import secrets
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
    from collections.abc import AsyncIterator, Callable

    from services.api.tests.integration.conftest import Api, Start


LATELY = "seen_at > clock_timestamp() - interval '0.5 seconds'"


class Commands:
    """In place of the consumer of commands: connected or not, in another name each time."""

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._listeners: list[Callable[[], None]] = []
        self.owner: str | None = None
        self.connect()

    def add_listener(self, on_receiving: Callable[[], None]) -> None:
        self._listeners.append(on_receiving)

    def connect(self) -> None:
        self.owner = f"{self._instance}-{secrets.token_hex(4)}"
        for on_receiving in self._listeners:
            on_receiving()

    def disconnect(self) -> None:
        self.owner = None


class Published:
    """In place of Redis: keeps the maps."""

    PUBLISH = "PUBLISH"

    def __init__(self) -> None:
        self.maps: list[PartitionMap] = []
        self.answers = True

    async def call(self, command: str, channel: str, data: bytes) -> int:
        if not self.answers:
            raise UnavailableError
        assert (command, channel) == (self.PUBLISH, topology.PARTITIONS_CHANNEL)
        self.maps.append(PartitionMap.from_bytes(data))
        return 1


class Process:
    """The part of one api process."""

    def __init__(self, name: str, api: Api) -> None:
        self.name, self.commands, self.redis = name, Commands(name), Published()
        self.partitions = Partitions(name, api.services.stores, self.redis, self.commands)  # type: ignore[arg-type]

    def partitions_of(self) -> dict[str, list[int]]:
        """Return which partitions each process owns, as this one sees it."""
        owners = self.partitions.map.owners
        return {one.queue.split(".")[-1].rpartition("-")[0]: one.partitions for one in owners}

    def shares(self) -> dict[str, int]:
        """How many partitions each process owns, as this one sees it."""
        try:
            return {name: len(owned) for name, owned in self.partitions_of().items()}
        except UnavailableError:
            return {}


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

        maps = sorted((m for p in (first, second) for m in p.redis.maps), key=lambda m: m.version)
        last = [one for one in maps if len(one.owners) == 2][-1]
        assert {len(owner.partitions) for owner in last.owners} == {0, 256}
        await eventually(lambda: set(second.shares()) == {"b"})


async def test_process__not_seen_for_the_lease__has_lost_its_partitions_and_comes_back(quiet: Api) -> None:
    async with running(quiet, "a", "b") as (first, second):
        first.commands.disconnect()
        await eventually(lambda: second.shares() == {"b": 256})
        first.commands.connect()

        await eventually(lambda: second.shares() == {"a": 128, "b": 128})


async def test_process__leaves_joins_or_dies__no_partition_moves_between_the_others(quiet: Api) -> None:
    """What does not move has the same owner all the time, so nothing of it waits."""
    async with running(quiet, "a", "b", "c") as processes:
        first = processes[0]
        await eventually(lambda: sorted(first.shares().values()) == [85, 85, 86])
        owned = [first.partitions_of()]
        await processes[2].partitions.stop()
        await eventually(lambda: first.shares() == {"a": 128, "b": 128})
        owned.append(first.partitions_of())
        joining = Process("d", quiet)
        await joining.partitions.start()
        await eventually(lambda: sorted(first.shares().values()) == [85, 85, 86])
        owned.append(first.partitions_of())
        joining.commands.disconnect()
        await eventually(lambda: first.shares() == {"a": 128, "b": 128})
        owned.append(first.partitions_of())
        await joining.partitions.stop()

    sets = [{name: set(each[name]) for name in ("a", "b")} for each in owned]
    for name in ("a", "b"):
        three, without_one, joined, died = (each[name] for each in sets)
        assert three < without_one
        assert joined < without_one
        assert joined < died


async def test_process__connected_anew__owns_in_its_new_name_what_it_did_before_at_once(quiet: Api) -> None:
    async with running(quiet, "a", "b") as (first, second):
        before = first.partitions.owner
        shares = {one.queue: one.partitions for one in second.partitions.map.owners}
        first.commands.connect()
        after = first.commands.owner
        assert after is not None
        queue = topology.command_queue(after)
        await eventually(lambda: queue in {one.queue for one in second.partitions.map.owners})
        last = {one.queue: one.partitions for one in second.partitions.map.owners}

    assert last[queue] == shares[topology.command_queue(before)]
    assert topology.command_queue(before) not in last


async def test_all__not_seen_for_the_lease__one_that_is_back_first_takes_nothing_from_the_others(quiet: Api) -> None:
    async with running(quiet, "a", "b") as (first, second):
        before = first.partitions_of()
        first.commands.disconnect()
        second.commands.disconnect()
        await eventually(lambda: absent(quiet))
        first.commands.connect()
        await eventually(lambda: seen(quiet, "a"))
        second.commands.connect()
        await eventually(lambda: seen(quiet, "b"))

        await eventually(lambda: first.partitions_of() == second.partitions_of() == before)
        assert not [m.version for process in (first, second) for m in process.redis.maps if len(m.owners) > 2]


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
