"""Work that a process repeats for as long as it lives; it outlives every failure of what it needs."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import Counter
from synctalk_runtime.errors import UnavailableError

log = structlog.get_logger()

ROUNDS = Counter("auth_periodic_rounds_total", "Rounds of periodic work, by how they ended.", ["work", "end"])

FIRST_RETRY_S = 0.2
MAX_RETRY_S = 5.0


class Periodic:
    """Runs `work` at once and then every `interval_s` until stopped; after a failure sooner, with backoff."""

    def __init__(self, name: str, interval_s: float, work: Callable[[], Awaitable[None]]) -> None:
        self._name = name
        self._interval_s = interval_s
        self._work = work
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        retry_s = FIRST_RETRY_S
        while True:
            if await self._round():
                pause, retry_s = self._interval_s, FIRST_RETRY_S
            else:
                pause, retry_s = min(retry_s, self._interval_s), min(retry_s * 2, MAX_RETRY_S)
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311

    async def _round(self) -> bool:
        try:
            await self._work()
        except UnavailableError:
            ROUNDS.labels(self._name, "unavailable").inc()
            return False
        except Exception as error:  # the task's door: told, counted, tried again
            log.exception("periodic.failed", work=self._name, error=type(error).__name__)
            ROUNDS.labels(self._name, "failed").inc()
            return False
        ROUNDS.labels(self._name, "done").inc()
        return True
