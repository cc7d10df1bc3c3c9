"""Index existing messages and users for searching after an update, a piece at a time, while the service serves.

Every process takes part, each in other conversations; where one stops, the next goes on.
"""

from synctalk_runtime.background import Loop
from synctalk_runtime.postgres import Postgres

from synctalk_api.store import backfill

PIECE = 200
"""About how many messages and users one transaction indexes: some 10 ms of this process."""
PAUSE_S = 0.05
IDLE_S = 10.0


class Backfill:
    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._finished = False
        self._loop = Loop("backfill", self._index_piece, IDLE_S, min_pause_s=PAUSE_S)

    async def start(self) -> None:
        await self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def _index_piece(self) -> None:
        if self._finished:
            return
        async with self._postgres.transaction() as conn:
            done = await backfill.index_users(conn, PIECE)
            while done < PIECE and (taken := await backfill.take_conversation(conn)):
                done += 1 + await backfill.index_conversation(conn, taken, PIECE)
            self._finished = not done and not await backfill.is_left(conn)
        if done:
            self._loop.wake()
