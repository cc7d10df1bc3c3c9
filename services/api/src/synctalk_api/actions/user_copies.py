"""Copy users' new names and pictures from the main store to another: its conversations show them."""

from synctalk_runtime.background import Loop

from synctalk_api.store import user_copies, users
from synctalk_api.store.stores import Store

BATCH = 200
IDLE_S = 1.0


class UserCopies:
    """What one store has to get; every process takes part. A store that is away gets it later."""

    def __init__(self, main: Store, store: Store) -> None:
        self._main = main
        self._store = store
        self._loop = Loop(f"user-copies.{store.name}", self._copy, IDLE_S)
        self.start = self._loop.start
        self.stop = self._loop.stop

    async def _copy(self) -> bool:
        async with self._main.postgres.transaction() as conn:
            taken = await user_copies.take(conn, self._store.name, BATCH)
            if taken:
                # Locked: what is copied is what the next change of these users follows upon.
                current = await users.locked(conn, taken)
                async with self._store.postgres.transaction() as copy:
                    await users.put(copy, current)
        return len(taken) == BATCH
