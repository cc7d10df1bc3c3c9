"""Move partitions from one store to another while users talk: nothing is lost, and only those that move wait.

A partition's messages are copied while it is written to. Then all api processes learn that it is moving, and refuse
its writes; what has changed meanwhile is copied, with the conversations and their members, and the map says that it
lies there. That takes a second or two, during which clients get `unavailable` and send again. At the end the old
store's rows are deleted. A move that was interrupted anywhere is finished, or begun anew, by the same command.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import structlog
from synctalk_contracts.topology import PARTITIONS
from synctalk_runtime.errors import ConflictError, UnavailableError
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_api.actions import block_copies
from synctalk_api.settings import MAIN, Settings
from synctalk_api.store import backfill, moving, partitions, users

log = structlog.get_logger()

T = TypeVar("T")

PARTITIONS_AT_ONCE = 16
"""Their writes are refused together, each until it is its turn."""
CONVERSATIONS_AT_ONCE = 100
ROWS_AT_ONCE = 5_000
PAUSE_S = 0.1
FOLLOW_TIMEOUT_S = 10.0
"""All processes read the map every second; one that has stopped is not counted after three."""
DRAIN_TIMEOUT_S = 10.0
MOVING_S = 30.0
"""For so long writes are refused at most: the command may die."""
LOCK_TIMEOUT_MS = 5_000


class Mover:
    """Moves partitions between the stores of these settings."""

    def __init__(self, stores: dict[str, Postgres]) -> None:
        self._stores = stores

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: Settings) -> AsyncIterator["Mover"]:
        stores = {}
        for name, address in settings.addresses_of_stores.items():
            chosen = {"database_url": address, "database_pool_size": 4, "database_command_timeout_s": 86_400}
            stores[name] = Postgres(settings.model_copy(update=chosen), f"move.{name}")
        try:
            for store in stores.values():
                await store.open()
            yield cls(stores)
        finally:
            for store in stores.values():
                await store.close()

    async def move(self, wanted: Sequence[int], target: str) -> int:
        """Move these partitions to a store, one after the other, and return how many were moved.

        Raises:
            ConflictError: another move is running, the store is unknown, or messages are still being indexed.
            UnavailableError: a store is away, or a process does not follow the map. The same command goes on.
        """
        if target not in self._stores:
            raise ConflictError(f"There is no store {target!r}: SYNCTALK_API_STORES has none of that name.")
        async with self._stores[MAIN].connection() as conn:
            if not await partitions.try_lock_moves(conn):
                raise ConflictError("Another move is running.")
            try:
                moved = 0
                await self._bring_blocks(target)
                for some in _slices(wanted, PARTITIONS_AT_ONCE):
                    moved += await self._move(some, target)
            finally:
                await partitions.unlock_moves(conn)
        return moved

    async def _bring_blocks(self, target: str) -> None:
        """Let the store have everybody's blocks before it gets conversations; later ones reach it as they are made."""
        if target != MAIN:
            main, store = self._stores[MAIN], self._stores[target]
            async for pairs in block_copies.differing(main, store):
                async with main.connection() as conn:
                    await block_copies.copy(conn, store, pairs)

    async def _move(self, some: Sequence[int], target: str) -> int:
        places = await self._places()
        sources = {partition: places[partition] for partition in some if places[partition] != target}
        for source in dict.fromkeys(sources.values()):
            await self._prepare(source, target)
        for partition, source in sources.items():
            if not await self._has_left(partition, source, target):
                await self._copy_messages(partition, source, target)
        if sources:
            await self._hand_over_all(sources, target)
        for source in dict.fromkeys(sources.values()):
            await self._clean(source)
        return len(sources)

    async def _places(self) -> Sequence[str]:
        async with self._stores[MAIN].connection() as conn:
            return (await partitions.read(conn, 0)).stores or [MAIN] * PARTITIONS

    async def _has_left(self, partition: int, source: str, target: str) -> bool:
        """Return whether an earlier move got as far as that: only the map does not say so yet."""
        async with self._stores[source].connection() as conn:
            return await moving.moved_to(conn, partition) == target

    async def _prepare(self, source: str, target: str) -> None:
        """Finish what updates and earlier moves have left to do."""
        await self._clean(target)
        async with self._stores[source].connection() as conn:
            if await backfill.is_left(conn):
                raise ConflictError("Messages of before an update are still being indexed. Try again later.")
            while await moving.number(conn, ROWS_AT_ONCE):
                pass

    async def _clean(self, store: str) -> None:
        async with self._stores[store].connection() as conn:
            while await moving.clean(conn, CONVERSATIONS_AT_ONCE, ROWS_AT_ONCE):
                pass

    async def _copy_messages(self, partition: int, source: str, target: str) -> None:
        """Copy the partition's messages while they are written."""
        async with self._stores[target].transaction() as conn:
            await moving.forget_copied(conn, partition)
        await self._clean(target)
        async with self._stores[source].connection() as conn:
            ids = await moving.of_partition(conn, partition)
        for some in _slices(ids, CONVERSATIONS_AT_ONCE):
            async with self._stores[source].snapshot() as reading, self._stores[target].transaction() as writing:
                await self._copy(partition, reading, writing, some)

    async def _copy(self, partition: int, reading: Connection, writing: Connection, ids: Sequence[str]) -> None:
        for conn in (reading, writing):
            await conn.execute(moving.WITHOUT_TIMEOUTS)
        change_seqs = await moving.change_seqs(reading, ids)
        for table in moving.CONTENTS:
            await moving.copy(reading, writing, table, ids)
        await moving.note_copied(writing, partition, change_seqs)

    async def _hand_over_all(self, sources: dict[int, str], target: str) -> None:
        """Stop the writes to the partitions, and hand one after the other over to the target."""
        try:
            await self._followed(await self._note_moving(list(sources)))
            quiet = await self._quiet(sources)
            for n, (partition, source) in enumerate(sources.items()):
                if not await self._has_left(partition, source, target):
                    await self._note_moving(list(sources)[n:])  # for another while
                    await self._hand_over(partition, source, target, quiet[partition])
                await self._map(partition, target)
                log.info("move.moved", partition=partition, source=source, target=target)
            await self._followed(await self._note_moving([]))
        except TimeoutError as error:
            raise UnavailableError("It took too long and was given up. The same command tries again.") from error
        finally:
            with suppress(UnavailableError):  # it ends by itself
                await self._note_moving([])

    async def _quiet(self, sources: dict[int, str]) -> dict[int, dict[str, int]]:
        """Return the `change_seq`s of each partition's conversations once their events up to these have left."""
        reached = {}
        for partition, source in sources.items():
            async with self._stores[source].connection() as conn:
                reached[partition] = await moving.reached(conn, partition)
        for source in dict.fromkeys(sources.values()):
            async with self._stores[source].connection() as conn:
                last = await moving.last_event(conn)
            await self._drained(source, last)
        return reached

    async def _hand_over(self, partition: int, source: str, target: str, quiet: dict[str, int]) -> None:
        """Copy what is left, and remove the partition from the old store."""
        async with asyncio.timeout(MOVING_S / 2), self._stores[source].transaction() as reading:
            await reading.execute(f"set local lock_timeout = {LOCK_TIMEOUT_MS}")
            await reading.execute(moving.WITHOUT_TIMEOUTS)
            locked = await moving.lock(reading, partition)
            if locked != quiet:  # a process that had not noticed wrote once more
                await self._drained(source, await moving.last_event(reading))
            async with self._stores[target].transaction() as writing:
                await self._copy_rest(partition, reading, writing, locked)
            await moving.leave(reading, partition, list(locked), target)

    async def _copy_rest(
        self, partition: int, reading: Connection, writing: Connection, locked: dict[str, int]
    ) -> None:
        copied = await moving.copied(writing, partition)
        begun = {each: change_seq for each, change_seq in locked.items() if each not in copied}
        if begun:
            await self._copy(partition, reading, writing, list(begun))
        since = {each: copied[each] for each, change_seq in locked.items() if copied.get(each, change_seq) < change_seq}
        conversation_ids, ids = await moving.changed_messages(reading, since)
        if ids:
            await moving.copy_messages(reading, writing, conversation_ids, ids)
        members = await moving.members_of(reading, list(locked))
        await users.add(writing, list((await users.by_ids(reading, members)).values()))
        for table in moving.HANDED_OVER:
            await moving.copy(reading, writing, table, list(locked))
        await moving.arrived(writing, partition)

    async def _note_moving(self, moved: Sequence[int]) -> int:
        """Let all processes know which partitions are being moved, and return the map's version."""
        async with self._stores[MAIN].connection() as conn:
            return await partitions.note_moving(conn, moved, MOVING_S)

    async def _followed(self, version: int) -> None:
        """Wait until every process that runs goes by the map."""
        async with asyncio.timeout(FOLLOW_TIMEOUT_S):
            while True:
                async with self._stores[MAIN].connection() as conn:
                    if not await partitions.behind(conn, version):
                        return
                await asyncio.sleep(PAUSE_S)

    async def _drained(self, source: str, event: int) -> None:
        """Wait until the events of before have left, so that later ones of the new store do not overtake them."""
        async with asyncio.timeout(DRAIN_TIMEOUT_S):
            while True:
                async with self._stores[source].connection() as conn:
                    if not await moving.is_unsent(conn, event):
                        return
                await asyncio.sleep(PAUSE_S)

    async def _map(self, partition: int, target: str) -> None:
        async with self._stores[MAIN].transaction() as conn:
            found = await partitions.lock(conn, 0)
            places = list(found.stores or [MAIN] * PARTITIONS)
            places[partition] = target
            await partitions.place(conn, places, partition)


def _slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]


def partitions_in(text: str) -> list[int]:
    """Return the partitions of a list as `0-127,200`. Raises ValueError."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        found += range(int(first), int(last if dash else first) + 1)
    if not found or min(found) < 0 or max(found) >= PARTITIONS:
        raise ValueError(f"partitions are numbers from 0 to {PARTITIONS - 1}")
    return list(dict.fromkeys(found))
