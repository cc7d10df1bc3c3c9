"""The loop that looks for who has left; every process of the service runs one, and they share the work."""

import asyncio
import random
import time

import structlog
from prometheus_client import Counter
from synctalk_runtime.errors import UnavailableError

from synctalk_presence.actions.sweep import scrub, sweep
from synctalk_presence.parts import Parts
from synctalk_presence.store.people import FIRST

log = structlog.get_logger()

FAILED = Counter("presence_sweeps_failed_total", "Sweeps that were cut short.", ["error"])

MAX_PAUSE_S = 5.0
STOP_TIMEOUT_S = 5.0


class Sweeper:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._cursor = FIRST
        self._scrub_at = 0.0

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="sweeper")

    async def stop(self) -> None:
        """Lets the running look finish; one that is cut off is repeated by another process."""
        self._stopping.set()
        if self._task is not None:
            _, running = await asyncio.wait([self._task], timeout=STOP_TIMEOUT_S)
            for task in running:
                task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        pause = self._parts.settings.sweep_interval_s
        while not self._stopping.is_set():
            try:
                more = await self._look()
                pause = 0.0 if more else self._parts.settings.sweep_interval_s
            except UnavailableError:
                FAILED.labels("unavailable").inc()
                pause = min(max(pause, 0.1) * 2, MAX_PAUSE_S) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
            except Exception as error:  # the loop's door: a bug in one look must not end all looking
                FAILED.labels("bug").inc()
                log.exception("sweep.failed", error=type(error).__name__)
                pause = MAX_PAUSE_S
            await self._rest(pause)

    async def _look(self) -> bool:
        more = await sweep(self._parts)
        if time.monotonic() >= self._scrub_at:
            self._cursor = await scrub(self._parts, self._cursor)
            self._scrub_at = time.monotonic() + self._parts.settings.scrub_interval_s
        return more

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass
