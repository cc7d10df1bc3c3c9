"""Copy blocks from the main store to another: they decide about pushes and contacts in its conversations."""

from collections.abc import AsyncIterator, Sequence

from synctalk_runtime.background import Loop
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_api import rules
from synctalk_api.actions.blocks import Blocks
from synctalk_api.store import block_copies
from synctalk_api.store.block_copies import Pair
from synctalk_api.store.stores import Store

BATCH = 200
IDLE_S = 1.0
COMPARED_AT_ONCE = 1_000
COMPARED_AGAIN_S = 3_600.0
ASKED_AGAIN_S = 60.0


class BlockCopies:
    """What one store has to take over; every process takes part. A store that is away gets it later."""

    def __init__(self, store: Store, blocks: Blocks) -> None:
        self._main = blocks.stores.main
        self._store = store
        self._blocks = blocks
        self._copying = Loop(f"block-copies.{store.name}", self._copy, IDLE_S)
        self._comparing = Loop(f"block-comparisons.{store.name}", self._compare, ASKED_AGAIN_S)

    async def start(self) -> None:
        await self._copying.start()
        await self._comparing.start()

    async def stop(self) -> None:
        await self._comparing.stop()
        await self._copying.stop()

    async def _copy(self) -> bool:
        async with self._main.postgres.transaction() as conn:
            taken = await block_copies.take(conn, self._store.name, BATCH)
            if taken:
                pairs = list(dict.fromkeys(taken))
                holding = await copy(conn, self._store.postgres, pairs)
                for user_id, blocked_id in await self._outdated(pairs, holding):
                    await self._blocks.apply_late(user_id, blocked_id)
        return len(taken) == BATCH

    async def _outdated(self, pairs: Sequence[Pair], holding: set[Pair]) -> list[Pair]:
        """Return the pairs whose direct conversation does not have their block as it is: its store was away.

        By now it may have been moved to another one.
        """
        by_key = [(rules.direct_key(*pair), pair, pair in holding) for pair in pairs]

        async def outdated(store: Store) -> list[Pair]:
            async with store.postgres.connection() as conn:
                return await block_copies.outdated(conn, by_key)

        found = (await self._blocks.stores.everywhere(outdated)).by_store
        if self._store not in found:
            raise UnavailableError
        return [pair for some in found.values() for pair in some]

    async def _compare(self) -> None:
        """Note what differs, now and then: a store was restored, or a process of the version before noted nothing."""
        await self._store.postgres.check()
        async with self._main.postgres.connection() as conn:
            if not await block_copies.begin_comparison(conn, self._store.name, COMPARED_AGAIN_S):
                return
        async for pairs in differing(self._main.postgres, self._store.postgres):
            async with self._main.postgres.connection() as conn:
                await block_copies.note(conn, [self._store.name], pairs)
        self._copying.wake()


async def copy(main: Connection, store: Postgres, pairs: Sequence[Pair]) -> set[Pair]:
    """Let the store have what holds between the pairs, and return in which of them there is a block.

    The main store is read when no other process writes to this one, so the last to write has read the latest.
    """
    async with store.transaction() as writing:
        await block_copies.lock(writing)
        return await block_copies.write(writing, pairs, await block_copies.current(main, pairs))


async def differing(main: Postgres, store: Postgres) -> AsyncIterator[list[Pair]]:
    """Yield the pairs with a block in one of the two that is not, or was not a moment ago, in the other."""
    after, is_last = block_copies.BEFORE_ALL, False
    while not is_last:
        async with main.connection() as conn:
            wanted = await block_copies.in_range(conn, after, block_copies.LAST, COMPARED_AT_ONCE)
        is_last = len(wanted) < COMPARED_AT_ONCE
        until = block_copies.LAST if is_last else wanted[-1]
        async with store.connection() as conn:
            copied = await block_copies.in_range(conn, after, until, None)
        if pairs := sorted(set(wanted).symmetric_difference(copied)):
            yield pairs
        after = until
