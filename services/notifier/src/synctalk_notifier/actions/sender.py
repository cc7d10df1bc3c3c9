"""The sending of one process: a loop that decides, claims, sends and records, and waits when there is nothing to do.

One task owns all of it. Every push waits for FCM in a task of its own, at most `push_in_flight` at once, so that a slow
device holds up nobody else; what has come back while one round ran is recorded together in the next. An outcome
that could not be recorded stays in memory until it can.
"""

import asyncio
import random
import time

import structlog
from synctalk_runtime.errors import UnavailableError

from synctalk_notifier.actions import decide, deliver, sweep
from synctalk_notifier.actions.metrics import IN_FLIGHT
from synctalk_notifier.clients.outcomes import End, Outcome
from synctalk_notifier.parts import Parts

log = structlog.get_logger()

SWEEP_S = 30.0
MAX_PAUSE_S = 5.0


class Sender:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._sending: set[asyncio.Task[None]] = set()
        self._finished: list[deliver.Finished] = []
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._swept_at = float("-inf")
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._parts.fcm is None:
            log.warning("push.off", why="SYNCTALK_FCM_CREDENTIALS_FILE is not set")
        self._task = asyncio.create_task(self._run(), name="sender")

    async def stop(self) -> None:
        """Claims nothing more, and gives what is on its way the time that requests get at a stop."""
        self._stopping.set()
        self._woken.set()
        if self._task is None:
            return
        try:
            async with asyncio.timeout(self._parts.settings.shutdown_timeout_s):
                await self._task
                if self._sending:
                    await asyncio.wait(self._sending)
                if self._finished:
                    await self._record()
        except (TimeoutError, UnavailableError):
            log.warning("sender.stopped_early", in_flight=len(self._sending), unrecorded=len(self._finished))
        for task in (self._task, *self._sending):
            task.cancel()
        await asyncio.gather(self._task, *self._sending, return_exceptions=True)

    async def _run(self) -> None:
        interval_s = self._parts.settings.push_interval_s
        pause_s = interval_s
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                moved = await self._round()
            except UnavailableError:
                pause_s = await self._back_off(pause_s)
            except Exception as error:  # the loop's door: told, and tried again
                log.exception("sender.failed", error=type(error).__name__)
                pause_s = await self._back_off(pause_s)
            else:
                pause_s = interval_s
                if not moved:
                    await _wait(self._woken, interval_s)

    async def _back_off(self, pause_s: float) -> float:
        """Wait, and say how long to wait the next time."""
        await _wait(self._stopping, pause_s * random.uniform(0.5, 1.5))  # noqa: S311
        return min(pause_s * 2, MAX_PAUSE_S)

    async def _round(self) -> bool:
        """False when there is nothing more to do for now."""
        recorded = await self._record()
        decided = await decide.decide(self._parts)
        free = self._parts.settings.push_in_flight - len(self._sending)
        claims = await deliver.claim_due(self._parts, free) if free > 0 else []
        if claims:
            for ready in await deliver.choose(self._parts, claims):
                self._begin(ready)
        await self._sweep()
        return bool(recorded or decided or claims)

    async def _record(self) -> int:
        finished = list(self._finished)
        if finished:
            await deliver.record(self._parts, finished)
            del self._finished[: len(finished)]
        return len(finished)

    def _begin(self, ready: deliver.Ready) -> None:
        task = asyncio.create_task(self._send(ready), name="push")
        self._sending.add(task)
        IN_FLIGHT.set(len(self._sending))
        task.add_done_callback(self._ended)

    async def _send(self, ready: deliver.Ready) -> None:
        try:
            self._finished.append(await deliver.send(self._parts, ready))
        except Exception as error:  # the task's door: nobody knows, so it is tried again
            log.exception("push.failed", error=type(error).__name__)
            self._finished.append(deliver.Finished(ready.claim, Outcome(End.MAYBE, type(error).__name__)))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        IN_FLIGHT.set(len(self._sending))
        self._woken.set()

    async def _sweep(self) -> None:
        if time.monotonic() - self._swept_at >= SWEEP_S:
            await sweep.sweep(self._parts)
            self._swept_at = time.monotonic()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
