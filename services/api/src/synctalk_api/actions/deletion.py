"""Delete the messages of deleted groups, a portion at a time, while the service serves.

Every process takes part; where one stops, the next goes on.
"""

from synctalk_runtime.background import Loop
from synctalk_runtime.postgres import Postgres

from synctalk_api.store import deletion

PORTION = 500
PAUSE_S = 0.05
IDLE_S = 10.0


class Deletion:
    """The loop for one store."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._loop = Loop("deletion", self._step, IDLE_S, min_pause_s=PAUSE_S)
        self.start = self._loop.start
        self.stop = self._loop.stop

    async def _step(self) -> bool:
        async with self._postgres.transaction() as conn:
            return await deletion.step(conn, PORTION)
